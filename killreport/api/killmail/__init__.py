"""Killmails in the API: list, one, live."""
