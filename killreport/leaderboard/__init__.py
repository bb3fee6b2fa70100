"""Rankings and statistics: who did most, where, when and with what.

Owns the tables `ranking` and `ranking_run`; reads the rollups that the writer of killmails keeps. What must hold: no
read scans the facts; figures of days and whole lives are the rollups', so they equal a recount at every moment. The API
and the pages rely on it.
"""
