"""One answer per file to "what now?"; the first that applies decides."""
