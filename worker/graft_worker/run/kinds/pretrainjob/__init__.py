"""PretrainJob: an encoder that learns from plain text."""
