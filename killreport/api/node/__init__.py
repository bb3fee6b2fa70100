"""One address for everything: ids that say of what they are, and the field `node` that reads what they name.

Relay and other clients that keep objects by one id rely on it; EVE's numbers alone do not tell a type from a killmail.
"""
