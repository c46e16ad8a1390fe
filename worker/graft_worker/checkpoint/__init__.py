"""Training state on disk: written beside, renamed when whole, verified before use."""
