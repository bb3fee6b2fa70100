"""Commands that run processes: one, all of them, the demo, the simulator, and what such a process holds."""
