"""Speed beside two peers in the same run: `python -m benchmarks ROW`."""
