"""The packaged config groups. A folder is a group, a file is an option of it."""
