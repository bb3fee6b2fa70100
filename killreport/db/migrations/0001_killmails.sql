-- Killmails, what is derived from them, and where the feeds stand.
-- Entity ids are bigint (ESI: int64); money is bigint in hundredths of an ISK, exact and summable.

-- The gate: whoever inserts the id here, in the storing transaction, owns the killmail; everybody else skips it.
-- Apart from the killmail table so that the wide rows can be copied, and that table partitioned by time.
create table killmail_gate (
    killmail_id bigint primary key
);

-- One wide row a killmail: a list page reads this table alone.
create table killmail (
    killmail_id                bigint primary key,
    hash                       bytea not null check (octet_length(hash) = 20),
    killmail_time              timestamptz not null,
    solar_system_id            integer not null,
    constellation_id           integer,
    region_id                  integer,
    war_id                     bigint,
    moon_id                    bigint,
    location_id                bigint,          -- nearest celestial, where a source told it
    victim_character_id        bigint,
    victim_corporation_id      bigint,
    victim_alliance_id         bigint,
    victim_faction_id          integer,
    ship_type_id               integer not null,
    ship_group_id              integer,
    damage_taken               bigint not null,
    position_x                 double precision,
    position_y                 double precision,
    position_z                 double precision,
    final_blow_character_id    bigint,
    final_blow_corporation_id  bigint,
    final_blow_alliance_id     bigint,
    final_blow_faction_id      integer,
    final_blow_ship_type_id    integer,
    final_blow_weapon_type_id  integer,
    attacker_count             integer not null,
    player_count               integer not null,
    ship_value_cents           bigint not null,
    ship_price_rule            smallint not null,
    fitted_value_cents         bigint not null,
    dropped_value_cents        bigint not null,
    destroyed_value_cents      bigint not null,
    total_value_cents          bigint not null,
    points                     integer not null,
    is_npc                     boolean not null,
    is_solo                    boolean not null,
    is_awox                    boolean not null,
    labels                     text[] not null,
    source                     text not null,
    stored_at                  timestamptz not null default now()
);
create index killmail_newest on killmail (killmail_time desc, killmail_id desc);

create table attacker (
    killmail_id      bigint not null,
    ordinal          smallint not null,         -- order of the source, from 0
    is_final_blow    boolean not null,
    character_id     bigint,
    corporation_id   bigint,
    alliance_id      bigint,
    faction_id       integer,
    ship_type_id     integer,
    weapon_type_id   integer,
    damage_done      bigint not null,
    security_status  real,
    primary key (killmail_id, ordinal)
);

create table item (
    killmail_id          bigint not null,
    ordinal              smallint not null,     -- order of the source, from 0, contents after their container
    parent_ordinal       smallint,              -- the container's ordinal
    flag                 smallint not null,
    price_rule           smallint not null,
    type_id              integer not null,
    singleton            smallint not null,
    quantity_dropped     bigint not null,
    quantity_destroyed   bigint not null,
    unit_price_cents     bigint not null,
    primary key (killmail_id, ordinal)
);

-- Rollups: one row an entity and UTC day, upserted in the storing transaction, rebuildable from the facts.
create table daily_stat (
    entity_kind          smallint not null,     -- killreport.killmail.rollup.EntityKind
    entity_id            bigint not null,
    day                  date not null,
    kills                integer not null,
    losses               integer not null,
    solo_kills           integer not null,
    final_blows          integer not null,
    points_won           bigint not null,
    points_lost          bigint not null,
    isk_destroyed_cents  bigint not null,
    isk_lost_cents       bigint not null,
    npc_losses           integer not null,      -- of the losses, those to NPCs alone
    npc_isk_lost_cents   bigint not null,
    primary key (entity_kind, entity_id, day)
) with (fillfactor = 80);

create table daily_total (
    day                date primary key,
    killmails          integer not null,
    total_value_cents  bigint not null
);

-- Entities seen in a killmail and not known yet; the row goes in the transaction that stores the entity.
create table refresh_ledger (
    entity_kind  smallint not null,
    entity_id    bigint not null,
    seen_at      timestamptz not null default now(),
    primary key (entity_kind, entity_id)
);

create table character (
    character_id  bigint primary key,
    name          text not null,
    refreshed_at  timestamptz not null default now()
);
create table corporation (
    corporation_id  bigint primary key,
    name            text not null,
    ticker          text not null,
    refreshed_at    timestamptz not null default now()
);
create table alliance (
    alliance_id   bigint primary key,
    name          text not null,
    ticker        text not null,
    refreshed_at  timestamptz not null default now()
);

-- What subscribers and feeds read, in order; ids commit in order because writers queue for them.
create table event (
    event_id      bigint generated always as identity primary key,
    at            timestamptz not null default now(),
    kind          text not null check (kind in ('stored', 'changed')),
    killmail_ids  bigint[] not null
);

-- Where each reader of a sequence stands: a live feed, or a file that is being imported.
create table feed_cursor (
    feed           text primary key,
    next_sequence  bigint not null,
    updated_at     timestamptz not null default now()
);

create table feed_gap (
    feed         text not null,
    sequence     bigint not null,
    noted_at     timestamptz not null default now(),
    tried_at     timestamptz not null default now(),
    primary key (feed, sequence)
);

-- Input that could not be stored, whole, with the reason; nothing is thrown away.
create table quarantine (
    quarantine_id  bigint generated always as identity primary key,
    source         text not null,
    reference      text not null,               -- where in the source: a file and line, a sequence
    killmail_id    bigint,
    reason         text not null,
    path           text not null,
    body           bytea not null,
    body_sha256    bytea not null unique,
    seen_at        timestamptz not null default now(),
    tried_at       timestamptz not null default now(),
    tries          integer not null default 1
);
