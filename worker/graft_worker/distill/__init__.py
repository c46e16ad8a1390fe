"""Distillation: a small student learns a task from a teacher; one method, one file."""
