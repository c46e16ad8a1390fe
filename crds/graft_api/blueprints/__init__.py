"""The kinds that this version can run, one file each, named as the kind in lower case."""
