"""The static world: types, groups, systems, regions, NPC corporations, item flags and id ranges.

Owns the `eve_*` tables, which the importer writes, whole and in one transaction, and to which types that ESI told of
are added; and the seed that fills them on a first start without a network. Everybody above reads `universe.Universe`, a
copy in memory in which nothing ever changes. What must hold: each change of what killmails are derived from has a
number, is told, and puts what it concerns on the list of what is to be derived again, in its own transaction
(`changes`). Processes that run on take it over through a `keeping.UniverseKeeper`.
"""
