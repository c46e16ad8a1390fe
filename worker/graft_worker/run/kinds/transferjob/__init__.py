"""TransferJob: an app over an encoder, trained by a method."""
