"""Commands of the queues and of dead letters."""
