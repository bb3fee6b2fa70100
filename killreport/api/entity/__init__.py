"""Characters, corporations and alliances in the API."""
