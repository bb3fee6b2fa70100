"""The live feed of zKillboard (R2Z2, or a RedisQ-shaped host), its daily history, and its lists of a character's kills.

Owns the protocols and how politely they are spoken, where a feed or a walk through a list stands, and whose turn it is
to ask. It hands on packages with the killmail's body as bytes, which `ingest` reads. What must hold: no number
of the feed is passed over without a note of it in the database. `workers` composes it with the one writer of killmails.
"""
