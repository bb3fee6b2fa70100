-- Older releases work with this.
-- Every id is a bigint: ids of the static data, of prices, and of rankings by place.
-- Each table is written anew under a lock that keeps readers out; of these the largest is price_day, some seconds.

alter table place_dearest
    alter column place_id type bigint;
alter table place_head
    alter column place_id type bigint;
alter table place_run
    alter column place_id type bigint;
alter table price_day
    alter column type_id type bigint;
alter table price_reference
    alter column type_id type bigint;
alter table type_detail
    alter column type_id type bigint;
alter table eve_category
    alter column category_id type bigint;
alter table eve_constellation
    alter column constellation_id type bigint,
    alter column region_id type bigint,
    alter column faction_id type bigint;
alter table eve_corporation
    alter column corporation_id type bigint,
    alter column faction_id type bigint;
alter table eve_faction
    alter column faction_id type bigint,
    alter column corporation_id type bigint,
    alter column militia_corporation_id type bigint;
alter table eve_group
    alter column group_id type bigint,
    alter column category_id type bigint;
alter table eve_market_group
    alter column market_group_id type bigint,
    alter column parent_market_group_id type bigint;
alter table eve_meta_group
    alter column meta_group_id type bigint;
alter table eve_region
    alter column region_id type bigint,
    alter column faction_id type bigint;
alter table eve_system
    alter column solar_system_id type bigint,
    alter column constellation_id type bigint,
    alter column region_id type bigint,
    alter column faction_id type bigint;
alter table eve_type
    alter column type_id type bigint,
    alter column group_id type bigint,
    alter column category_id type bigint,
    alter column market_group_id type bigint,
    alter column meta_group_id type bigint;
