"""The simulated ESI: its routes, and how it answers, whatever it answers."""
