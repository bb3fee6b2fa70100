"""The static world: types, groups, systems, regions, NPC corporations, item flags and id ranges.

Owns the `eve_*` tables, which only the importer writes, whole and in one transaction, and the seed that fills them
on a first start without a network. Everybody above reads `universe.Universe`, a copy in memory; nothing in it changes
until the process loads it again.
"""
