"""One verb, one file: its arguments, an example, and what it does."""
