"""Killmails: decoding, checking, valuing, classifying and storing them, and reading them back.

Owns the tables of killmails, attackers, items, rollups, events and the quarantine. What must hold: there is one writer
(`store.py`) for every source; a killmail is stored once, with all that follows from it, in one transaction; what cannot
be stored is in the quarantine with the reason. The API, the workers and the import rely on it.
"""
