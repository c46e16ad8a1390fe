"""The loop, optimizers, schedules, precision, callbacks."""
