"""Data sets: generated, bundled with scikit-learn, or read from files."""
