"""Characters, corporations and alliances: what we know of them.

Owns the tables `character`, `corporation` and `alliance`. What must hold: an entity without a row is unknown, never
wrong; readers show its id instead. The API and the pages rely on it for every name that is not static data.
"""
