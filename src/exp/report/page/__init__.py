"""One self-contained HTML page of a sweep or of a single run."""
