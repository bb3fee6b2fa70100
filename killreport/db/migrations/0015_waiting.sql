-- What a process waits for that somebody else is to do: a host outside that is away, a feed that has gone silent.
-- Older releases work with this.

alter table heartbeat add column waits_for text, add column waits_since timestamptz;
