"""Static data in the API: types, systems, factions; all from memory."""
