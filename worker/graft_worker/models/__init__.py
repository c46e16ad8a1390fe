"""Encoders, heads, tokenizers and the ModelZoo."""
