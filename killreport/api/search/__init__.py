"""Search in the API: everything that has a name, and what it leads to."""
