"""Why a job does not progress or has failed: pure functions from what was gathered to sentences."""
