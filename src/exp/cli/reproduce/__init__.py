"""`exp reproduce`: published tables done again, number by number."""
