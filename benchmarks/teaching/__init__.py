"""What pretraining teaches: the lessons of row P1, how each is given, and what came of it."""
