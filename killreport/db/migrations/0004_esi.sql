-- What all processes share towards ESI. Nothing here is the only copy of anything: lost in a crash, it is made again.

create unlogged table esi_cache (
    key         text primary key,               -- path and query; never of an answer that took a token
    body        bytea not null,
    etag        text,
    pages       integer not null,
    modified    text,                           -- Last-Modified as sent; pages of one list must agree
    expires_at  timestamptz not null
);
create index esi_cache_oldest on esi_cache (expires_at);

-- The next free moment for a request, by anybody: a request reserves one interval from here on.
create unlogged table esi_budget (
    is_only  boolean primary key default true check (is_only),
    free_at  timestamptz not null
);

-- Who must wait until when: `all`, a rate limit group, or `downtime`, which lasts until /status answers.
create unlogged table esi_pause (
    scope   text primary key,
    until   timestamptz not null,
    reason  text not null
);
