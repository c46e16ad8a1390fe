"""Pretraining: plain text into full sequences, words hidden while reading, and their loss."""
