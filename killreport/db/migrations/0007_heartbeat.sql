-- Every process's own word on how it does; a row whose process died keeps its last word until it is old.
create table heartbeat (
    process          text not null,
    instance         text not null,             -- host and pid
    started_at       timestamptz not null,
    seen_at          timestamptz not null,
    handled          bigint not null,
    failed           bigint not null,
    per_second       real not null,             -- handled, over the last minute or since the start
    last_success_at  timestamptz,
    last_error_at    timestamptz,
    last_error       text,
    primary key (process, instance)
);
