"""What processes share: events between them, heartbeats, rate limits, runs of jobs, and locks of single instances.

What must hold: a publisher never waits for a subscriber, and one that cannot keep up is dropped and reads the `event`
table again; a lock is lost with its connection, and whoever holds it is told. Payloads of events are ids; nothing here
is the only copy of anything.
"""
