"""Commands of the fleet: verbs, lists, logs, the live screen, and the way to the supervisor."""
