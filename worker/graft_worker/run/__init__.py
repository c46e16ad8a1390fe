"""The worker's programs: prepare, train, launch, predict, evaluate."""
