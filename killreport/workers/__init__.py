"""The processes that never end: each takes what comes in from outside and has the domain store it.

What must hold: nothing that came in is let go of before it is stored, a kill -9 at any line loses nothing and repeats
nothing, and SIGTERM finishes what is in hand. `killreport run NAME` calls `run` of the module of that process.
"""
