"""Names become objects: kinds of components, their parameters, and where they come from."""
