-- What ESI tells about characters, corporations and alliances; where they belonged when; and what is still to be asked.

alter table character
    alter column name drop not null,            -- null: gone before it was ever known
    add column corporation_id bigint,
    add column alliance_id bigint,
    add column faction_id bigint,
    add column birthday timestamptz,
    add column gender text,
    add column security_status real,
    add column title text,
    add column description text,
    add column gone_at timestamptz;             -- since when ESI does not know it any more

alter table corporation
    alter column name drop not null,
    alter column ticker drop not null,
    add column member_count integer,
    add column ceo_id bigint,
    add column creator_id bigint,
    add column alliance_id bigint,
    add column faction_id bigint,
    add column tax_rate real,                   -- 0 to 1
    add column date_founded timestamptz,
    add column url text,
    add column description text,
    add column home_station_id bigint,
    add column is_war_eligible boolean,
    add column gone_at timestamptz;

alter table alliance
    alter column name drop not null,
    alter column ticker drop not null,
    add column executor_corporation_id bigint,
    add column creator_id bigint,
    add column creator_corporation_id bigint,
    add column faction_id bigint,
    add column date_founded timestamptz,
    add column gone_at timestamptz,
    -- kept by the job update-alliance-counts
    add column kills bigint,
    add column losses bigint,
    add column isk_destroyed_cents numeric,
    add column isk_lost_cents numeric,
    add column member_count bigint,
    add column corporation_count integer,
    add column counted_at timestamptz;

create index character_corporation on character (corporation_id);
create index corporation_alliance on corporation (alliance_id);

-- Where an entity belonged, one row a period; the present one has no end.
create table affiliation (
    entity_kind     smallint not null,          -- character or corporation
    entity_id       bigint not null,
    since           timestamptz not null,       -- when it was first seen so, not when it joined
    until           timestamptz check (until >= since),
    corporation_id  bigint,                     -- a character's
    alliance_id     bigint,
    primary key (entity_kind, entity_id, since)
);

alter table refresh_ledger
    add column queued_at timestamptz,           -- null: not yet
    add column tries integer not null default 0;
create index refresh_ledger_due on refresh_ledger (queued_at nulls first, seen_at);

create table alliance_snapshot (
    alliance_id        bigint not null,
    day                date not null,
    name               text not null,
    ticker             text not null,
    executor_corporation_id bigint,
    member_count       bigint not null,
    corporation_count  integer not null,
    primary key (alliance_id, day)
);

create table corporation_snapshot (
    corporation_id  bigint not null,
    day             date not null,
    name            text not null,
    ticker          text not null,
    ceo_id          bigint,
    alliance_id     bigint,
    member_count    integer not null,
    primary key (corporation_id, day)
);
