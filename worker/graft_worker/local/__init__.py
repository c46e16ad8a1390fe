"""The Plan as processes of this machine."""
