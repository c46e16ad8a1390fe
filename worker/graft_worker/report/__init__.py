"""One ProgressReport, many readers: log, files, /metrics, /progress, last words."""
