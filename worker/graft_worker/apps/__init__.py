"""AppZoo: one app, one file: features, model, loss, metrics, predictions."""
