"""Servers beside each other: the same model, the same texts, one core."""
