"""Search by name over everything that has one.

Owns nothing stored; reads the names of entities in the database and the static data in memory. What must hold: any text
is a harmless question; the best matches come first; no search reads a whole table. The API and the pages rely on it.
"""
