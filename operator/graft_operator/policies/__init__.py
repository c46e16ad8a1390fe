"""One question about a running job per file; values in, values out."""
