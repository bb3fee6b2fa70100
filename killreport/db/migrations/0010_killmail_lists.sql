-- Lists of killmails: a page of any filter costs a page, not a history.
-- Each index ends with time and id, so that PostgreSQL reads the newest page off it in the exact order and stops.

create index killmail_of_victim_character on killmail (victim_character_id, killmail_time, killmail_id)
    where victim_character_id is not null;
create index killmail_of_victim_corporation on killmail (victim_corporation_id, killmail_time, killmail_id)
    where victim_corporation_id is not null;
create index killmail_of_victim_alliance on killmail (victim_alliance_id, killmail_time, killmail_id)
    where victim_alliance_id is not null;
create index killmail_of_victim_faction on killmail (victim_faction_id, killmail_time, killmail_id)
    where victim_faction_id is not null;
create index killmail_of_ship_type on killmail (ship_type_id, killmail_time, killmail_id);
create index killmail_of_ship_group on killmail (ship_group_id, killmail_time, killmail_id);
create index killmail_of_system on killmail (solar_system_id, killmail_time, killmail_id);
create index killmail_of_constellation on killmail (constellation_id, killmail_time, killmail_id);
create index killmail_of_region on killmail (region_id, killmail_time, killmail_id);
create index killmail_of_war on killmail (war_id, killmail_time, killmail_id) where war_id is not null;
create index killmail_awox on killmail (killmail_time, killmail_id) where is_awox;
create index killmail_by_value on killmail (total_value_cents, killmail_id);
create index killmail_by_points on killmail (points, killmail_id);
create index killmail_by_attackers on killmail (attacker_count, killmail_time, killmail_id);
create index killmail_labels on killmail using gin (labels);

create index item_of_type on item (type_id, killmail_id);

-- One row for a killmail and everything on its killing side; the code is the entity's id and its kind
-- (killreport.killmail.rollup.code_of; 15 is a weapon's kind).
create table killed_by (
    code           bigint not null,
    killmail_time  timestamptz not null,
    killmail_id    bigint not null
);
insert into killed_by (code, killmail_time, killmail_id)
select distinct side.id << 4 | side.kind, m.killmail_time, m.killmail_id
from attacker a
join killmail m on m.killmail_id = a.killmail_id
left join eve_type t on t.type_id = a.ship_type_id
cross join lateral (values
    (1, a.character_id), (2, a.corporation_id), (3, a.alliance_id), (4, a.faction_id::bigint),
    (5, a.ship_type_id::bigint), (6, t.group_id::bigint), (15, a.weapon_type_id::bigint)) as side(kind, id)
where side.id is not null;
alter table killed_by add primary key (code, killmail_time, killmail_id);

-- A few busy entities and very many quiet ones: the plan hangs on knowing which is which.
alter table killed_by alter column code set statistics 1000;
alter table item alter column type_id set statistics 1000;
alter table killmail
    alter column victim_corporation_id set statistics 500,
    alter column victim_alliance_id set statistics 500,
    alter column ship_type_id set statistics 500,
    alter column solar_system_id set statistics 500,
    alter column labels set statistics 500;
