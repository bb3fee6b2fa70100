-- CCP's static data as the importer leaves it, and the prices. An import replaces all eve_* rows in one transaction,
-- so no table here refers to another: a killmail may name what the static data of its day did not have yet.

create table static_data (
    is_only       boolean primary key default true check (is_only),   -- at most one row
    build_number  bigint not null,
    released_at   timestamptz not null,
    loaded_at     timestamptz not null default now(),
    source        text not null                                       -- 'seed', or the URL or file name it came from
);

create table eve_category (
    category_id   integer primary key,
    name          text not null,
    is_published  boolean not null
);

create table eve_group (
    group_id      integer primary key,
    name          text not null,
    category_id   integer not null,
    is_published  boolean not null
);

create table eve_market_group (
    market_group_id         integer primary key,
    name                    text not null,
    parent_market_group_id  integer
);

create table eve_meta_group (
    meta_group_id  integer primary key,
    name           text not null
);

-- category_id repeats the group's; the slot and the numbers are read from the type's dogma.
create table eve_type (
    type_id           integer primary key,
    name              text not null,
    group_id          integer not null,
    category_id       integer not null,
    is_published      boolean not null,
    market_group_id   integer,
    meta_group_id     integer,
    base_price        double precision,         -- ISK
    rig_size          smallint,
    meta_level        smallint,
    is_overheatable   boolean not null,
    slot              text check (slot in ('high', 'mid', 'low', 'rig', 'subsystem', 'service')),
    high_slots        smallint,
    mid_slots         smallint,
    low_slots         smallint,
    rig_slots         smallint
);

create table eve_region (
    region_id          integer primary key,
    name               text not null,
    faction_id         integer,
    wormhole_class_id  smallint
);

create table eve_constellation (
    constellation_id   integer primary key,
    name               text not null,
    region_id          integer not null,
    faction_id         integer,
    wormhole_class_id  smallint
);

create table eve_system (
    solar_system_id    integer primary key,
    name               text not null,
    constellation_id   integer not null,
    region_id          integer not null,
    security_status    double precision not null,   -- unrounded, -1.0 to 1.0
    faction_id         integer,
    wormhole_class_id  smallint
);

create table eve_faction (
    faction_id              integer primary key,
    name                    text not null,
    corporation_id          integer,
    militia_corporation_id  integer
);

create table eve_corporation (
    corporation_id  integer primary key,
    name            text not null,
    ticker          text not null,
    faction_id      integer
);

-- The average of a day in The Forge, hundredths of an ISK.
create table price_day (
    type_id        integer not null,
    day            date not null,
    average_cents  bigint not null check (average_cents >= 0),
    source         text not null,
    primary key (type_id, day)
);

-- What a type is worth where no market day is stored.
create table price_reference (
    type_id  integer primary key,
    cents    bigint not null check (cents >= 0),
    rule     smallint not null,                     -- killreport.market.price.PriceRule
    day      date,                                  -- of the observation
    source   text not null
);

-- Counts the writes to price_day and price_reference, so that a process can see that what it remembers is old.
-- 0: price_day has never had a row.
create table price_version (
    is_only  boolean primary key default true check (is_only),
    version  bigint not null
);
insert into price_version (version) values (0);
