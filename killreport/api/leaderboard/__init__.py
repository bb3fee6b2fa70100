"""Rankings, statistics and lists of whom and what, in the API."""
