"""What happens around the steps of a training: one feature, one file."""
