"""What `make check` runs beside the standard tools."""
