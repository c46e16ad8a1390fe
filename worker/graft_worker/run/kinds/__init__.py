"""What each kind of job asks of the stages: a folder a kind, named as the kind in lower case."""
