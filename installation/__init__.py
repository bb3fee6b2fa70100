"""How KillReport gets onto a machine. It runs before anything is installed, on the standard library alone."""
