"""The one client of EVE's public API: typed answers, a cache and a request budget shared by all processes and hosts.

What must hold: no process asks before `Expires`, all of them together stay within the budget and within ESI's own
limits, and an error says whether asking again can help. Knows no table of the game; `entity`, the workers and the
jobs rely on it.
"""
