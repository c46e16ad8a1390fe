"""What the verbs that speak to a cluster share."""
