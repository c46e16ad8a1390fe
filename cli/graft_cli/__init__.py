"""What a person types: graft run, validate, explain, predict and the like."""
