-- What left the quarantine because it was full: counted by source, so that nothing goes in silence.
-- Older releases work with this.

create table quarantine_dropped (
    source   text primary key,                  -- a feed, a list or an import: a handful of rows
    entries  bigint not null,
    bytes    bigint not null,
    last_at  timestamptz not null default now()
);
