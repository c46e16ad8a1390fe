"""The artefact: a folder named by its content."""
