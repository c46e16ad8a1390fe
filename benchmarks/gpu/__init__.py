"""Rows that need a GPU: what it can do at most, and which of several kernels is the fastest."""
