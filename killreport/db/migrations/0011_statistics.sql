-- Statistics and rankings: further levels of the rollups, and what the rankings of long windows are read from.

-- The whole life of everything that daily_stat counts: one row an entity.
create table total_stat (
    entity_kind          smallint not null,
    entity_id            bigint not null,
    kills                integer not null,
    losses               integer not null,
    solo_kills           integer not null,
    final_blows          integer not null,
    points_won           bigint not null,
    points_lost          bigint not null,
    isk_destroyed_cents  bigint not null,
    isk_lost_cents       bigint not null,
    npc_losses           integer not null,
    npc_isk_lost_cents   bigint not null,
    primary key (entity_kind, entity_id)
) with (fillfactor = 80);

-- Who did what where. A killmail happened in one system, so a constellation and a region are the sums of their systems.
create table system_stat (
    entity_kind          smallint not null,     -- character, corporation, alliance or ship type
    solar_system_id      integer not null,
    day                  date not null,
    entity_id            bigint not null,
    kills                integer not null,
    losses               integer not null,
    solo_kills           integer not null,
    points_won           bigint not null,
    isk_destroyed_cents  bigint not null,
    isk_lost_cents       bigint not null,
    primary key (entity_kind, solar_system_id, day, entity_id)
) with (fillfactor = 80);

-- When somebody is about: over the whole life, by hour of the week in UTC.
create table activity_stat (
    entity_kind  smallint not null,             -- character, corporation, alliance, solar system or region
    entity_id    bigint not null,
    slot         smallint not null check (slot between 0 and 167),   -- Monday 00:00 is 0; weekday * 24 + hour
    kills        integer not null,
    losses       integer not null,
    primary key (entity_kind, entity_id, slot)
) with (fillfactor = 80);

create index daily_stat_day on daily_stat (entity_kind, day);

-- The heads of the rankings whose windows are too long to be summed for every reader.
create table ranking (
    time_window          text not null,         -- killreport.leaderboard.model.Window
    entity_kind          smallint not null,
    metric               text not null,         -- killreport.leaderboard.model.Metric
    place                smallint not null,     -- from 1
    entity_id            bigint not null,
    kills                bigint not null,
    losses               bigint not null,
    solo_kills           bigint not null,
    points_won           bigint not null,
    isk_destroyed_cents  bigint not null,
    isk_lost_cents       bigint not null,
    primary key (time_window, entity_kind, metric, place)
);
create table ranking_run (
    time_window  text primary key,
    first_day    date,                          -- null: since the first killmail
    last_day     date not null,
    counted_at   timestamptz not null
);

-- The dearest losses of a day, and of a day in a system; those of all time come from killmail_by_value.
create index killmail_dearest_of_day on killmail
    (((killmail_time at time zone 'UTC')::date), total_value_cents desc, killmail_id desc);
create index killmail_dearest_of_system on killmail
    (solar_system_id, ((killmail_time at time zone 'UTC')::date), total_value_cents desc, killmail_id desc);

-- What is stored already is counted.
insert into total_stat
select entity_kind, entity_id, sum(kills), sum(losses), sum(solo_kills), sum(final_blows), sum(points_won),
       sum(points_lost), sum(isk_destroyed_cents), sum(isk_lost_cents), sum(npc_losses), sum(npc_isk_lost_cents)
from daily_stat group by entity_kind, entity_id;

insert into system_stat
with side as (
    select distinct kind, entity_id, a.killmail_id
    from attacker a cross join lateral (values
        (1, a.character_id), (2, a.corporation_id), (3, a.alliance_id),
        (5, a.ship_type_id::bigint)) as side(kind, entity_id)
    where entity_id is not null
), part as (
    select kind, solar_system_id, killmail_time, entity_id, 1 as kills, 0 as losses, is_solo::int as solo_kills,
           points as points_won, total_value_cents as isk_destroyed_cents, 0 as isk_lost_cents
    from side join killmail using (killmail_id)
    union all
    select kind, solar_system_id, killmail_time, entity_id, 0, 1, 0, 0, 0, total_value_cents
    from killmail cross join lateral (values
        (1, victim_character_id), (2, victim_corporation_id), (3, victim_alliance_id),
        (5, ship_type_id::bigint)) as side(kind, entity_id)
    where entity_id is not null
)
select kind, solar_system_id, (killmail_time at time zone 'UTC')::date, entity_id, sum(kills), sum(losses),
       sum(solo_kills), sum(points_won), sum(isk_destroyed_cents), sum(isk_lost_cents)
from part group by 1, 2, 3, 4;

insert into activity_stat
with side as (
    select distinct kind, entity_id, a.killmail_id
    from attacker a cross join lateral (values
        (1, a.character_id), (2, a.corporation_id), (3, a.alliance_id)) as side(kind, entity_id)
    where entity_id is not null
), part as (
    select kind, entity_id, killmail_time, 1 as kills, 0 as losses from side join killmail using (killmail_id)
    union all
    select kind, entity_id, killmail_time, 1, 0 from killmail cross join lateral (values
        (7, solar_system_id::bigint), (9, region_id::bigint)) as place(kind, entity_id)
    where entity_id is not null
    union all
    select kind, entity_id, killmail_time, 0, 1 from killmail cross join lateral (values
        (1, victim_character_id), (2, victim_corporation_id), (3, victim_alliance_id)) as side(kind, entity_id)
    where entity_id is not null
)
select kind, entity_id,
       (extract(isodow from killmail_time at time zone 'UTC') - 1) * 24
           + extract(hour from killmail_time at time zone 'UTC'),
       sum(kills), sum(losses)
from part group by 1, 2, 3;
