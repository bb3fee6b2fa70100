"""Search by name, in the API."""
