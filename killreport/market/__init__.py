"""What a type was worth on a day, in hundredths of an ISK, always with the rule that gave the figure.

Owns the `price_*` tables. The same stored rows always give the same price; no price is ever asked of the network while
a killmail is stored. `killmail` values its items with it.
"""
