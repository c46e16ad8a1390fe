"""The model server: one artefact, answered over HTTP in batches; without code that trains."""
