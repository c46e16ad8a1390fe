"""What is written of a job: conditions by small checks, blocks, events."""
