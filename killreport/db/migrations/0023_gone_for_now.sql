-- Older releases work with this.
-- A 404 is no death: who is gone is asked for again, after pauses that grow with the misses.

alter table character
    add column misses smallint not null default 0,   -- answers 404 in a row
    add column ask_again_at timestamptz;             -- of one that is gone; null: at once
alter table corporation
    add column misses smallint not null default 0,
    add column ask_again_at timestamptz;
alter table alliance
    add column misses smallint not null default 0,
    add column ask_again_at timestamptz;
create index character_gone on character (ask_again_at nulls first) where gone_at is not null;
create index corporation_gone on corporation (ask_again_at nulls first) where gone_at is not null;
create index alliance_gone on alliance (ask_again_at nulls first) where gone_at is not null;

-- What ESI answered lately of each route; asked again when the route answers 404 and nobody knows whom that is about.
create unlogged table esi_witness (
    route        text primary key,
    question     text not null,                      -- JSON: path, query, body; never of one that took a token
    answered_at  timestamptz not null
);
with latest as (
    select character_id as id, refreshed_at from character where gone_at is null and name is not null
     order by refreshed_at desc limit 1
)
insert into esi_witness (route, question, answered_at)
select '/characters/{id}', '{"path":"/characters/' || id || '"}', refreshed_at from latest
union all
select '/characters/affiliation', '{"path":"/characters/affiliation","body":"[' || id || ']"}', refreshed_at from latest
union all
select '/universe/names', '{"path":"/universe/names","body":"[' || id || ']"}', refreshed_at from latest
union all
select '/corporations/{id}', '{"path":"/corporations/' || corporation_id || '"}', refreshed_at from (
    select corporation_id, refreshed_at from corporation where gone_at is null and name is not null
     order by refreshed_at desc limit 1) corporation
union all
select '/alliances/{id}', '{"path":"/alliances/' || alliance_id || '"}', refreshed_at from (
    select alliance_id, refreshed_at from alliance where gone_at is null and name is not null
     order by refreshed_at desc limit 1) alliance;
