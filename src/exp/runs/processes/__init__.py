"""Worker processes of this machine: they do orders as they come, and end with their parent."""
