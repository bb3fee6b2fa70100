"""What processes tell each other at once: events over Redis, or over the database where no Redis is configured.

What must hold: a publisher never waits for a subscriber, and one that cannot keep up is dropped and reads the `event`
table again. Payloads are ids; nothing here is the only copy of anything.
"""
