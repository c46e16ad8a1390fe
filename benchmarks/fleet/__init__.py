"""Operators beside each other: the same jobs, each on an empty control plane of its own."""
