"""The simulator's own routes, for tests and people: faults, publishing by hand, changes of the world."""
