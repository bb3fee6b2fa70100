"""Postings: of each day the ids of the killmails by everything that can be asked for, as roaring bitmaps.

Owns the table `posting`. What must hold: a posting has exactly the ids of the stored killmails that it is of, and its
sums are theirs, at the end of every transaction. Lists, counts, statistics and rankings rely on it.
"""
