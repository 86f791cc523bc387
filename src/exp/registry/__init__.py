"""Names become objects: kinds of components, their parameters, where they come from."""
