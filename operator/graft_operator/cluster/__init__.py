"""The API server: the only place that knows its client."""
