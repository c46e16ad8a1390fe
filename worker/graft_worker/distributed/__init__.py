"""Process group, collectives, sharding."""
