"""The thin shell: events in, effects out; the only place that knows kopf."""
