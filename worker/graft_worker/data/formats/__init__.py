"""One file format, one file: bytes to rows."""
