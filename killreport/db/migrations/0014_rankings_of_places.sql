-- Rankings of places over all time: what the job counted of each place that is too busy to be summed for every reader.

-- Everybody who has one of the first places by one of the figures; the reader orders them by the figure he wants.
create table place_head (
    place_kind           smallint not null,     -- solar system, constellation or region
    place_id             integer not null,
    entity_kind          smallint not null,     -- character, corporation, alliance or ship type
    entity_id            bigint not null,
    kills                bigint not null,
    losses               bigint not null,
    solo_kills           bigint not null,
    points_won           bigint not null,
    isk_destroyed_cents  bigint not null,
    isk_lost_cents       bigint not null,
    primary key (place_kind, place_id, entity_kind, entity_id)
);
create table place_dearest (
    place_kind         smallint not null,
    place_id           integer not null,
    killmail_id        bigint not null,
    total_value_cents  bigint not null,
    primary key (place_kind, place_id, killmail_id)
);
create table place_run (
    place_kind  smallint not null,
    place_id    integer not null,
    last_day    date not null,
    counted_at  timestamptz not null,
    primary key (place_kind, place_id)
);
