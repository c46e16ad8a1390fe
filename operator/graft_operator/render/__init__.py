"""A Plan to plain objects of Kubernetes; no client, no clock."""
