"""Methods of transfer: one method, one file."""
