-- Older releases work with this.
-- Every id is a bigint: what a killmail names. One statement a table, so that it is written anew once.
-- Readers and writers wait meanwhile, and as much space as the largest table and its indexes take has to be free:
-- docs/howto/operate.md has the figures.

alter table killmail
    alter column solar_system_id type bigint,
    alter column constellation_id type bigint,
    alter column region_id type bigint,
    alter column victim_faction_id type bigint,
    alter column ship_type_id type bigint,
    alter column ship_group_id type bigint,
    alter column final_blow_faction_id type bigint,
    alter column final_blow_ship_type_id type bigint,
    alter column final_blow_weapon_type_id type bigint;
alter table attacker
    alter column faction_id type bigint,
    alter column ship_type_id type bigint,
    alter column weapon_type_id type bigint;
alter table item
    alter column type_id type bigint;
alter table system_stat
    alter column solar_system_id type bigint;

-- Changing a type forgets what the planner knew of the column.
analyze killmail, attacker, item, system_stat;
