"""A stored killmail as readers know it: ESI bodies, fittings, packages of feeds, days, and why it has its points."""
