-- From here on killmails are stored in the tables that the migration before made: they take the place of the old ones.
-- What is in the old tables is moved before by `killreport db move`, or by `killreport db upgrade`.

do $$ begin
    lock table killmail, attacker, item, killed_by in access exclusive mode;
    if exists (select killmail_id from public.killmail except select killmail_id from next.killmail)
       or exists (select killmail_id from next.killmail except select killmail_id from public.killmail)
       or exists (select from event where event_id > (select event_id from next.move)) then
        raise exception 'not all killmails are moved to the new tables: run killreport db upgrade';
    end if;
end $$;

-- Replaced, not dropped, so that whoever may read them still may.
create or replace view analysis.killmails as
select k.killmail_id,
       encode(killmail_hash(k.victim_character_id, k.final_blow_character_id, k.ship_type_id, k.killmail_time), 'hex')
           as killmail_hash,
       k.killmail_time as killed_at, k.stored_at,
       k.solar_system_id, s.name as solar_system_name, s.security_status,
       k.constellation_id, c.name as constellation_name, k.region_id, r.name as region_name,
       k.victim_character_id, vp.name as victim_character_name,
       k.victim_corporation_id, coalesce(vc.name, vn.name) as victim_corporation_name,
       k.victim_alliance_id, va.name as victim_alliance_name,
       k.victim_faction_id, vf.name as victim_faction_name,
       k.ship_type_id, t.name as ship_type_name, k.ship_group_id, g.name as ship_group_name,
       k.final_blow_character_id, fp.name as final_blow_character_name,
       k.final_blow_corporation_id, coalesce(fc.name, fn.name) as final_blow_corporation_name,
       k.final_blow_alliance_id, fa.name as final_blow_alliance_name,
       k.final_blow_ship_type_id, ft.name as final_blow_ship_type_name,
       k.damage_taken, k.attacker_count, k.player_count as player_attacker_count,
       (k.total_value_cents::numeric / 100)::numeric(20, 2) as total_isk,
       (k.destroyed_value_cents::numeric / 100)::numeric(20, 2) as destroyed_isk,
       (k.dropped_value_cents::numeric / 100)::numeric(20, 2) as dropped_isk,
       (k.fitted_value_cents::numeric / 100)::numeric(20, 2) as fitted_isk,
       k.is_value_complete, k.points, k.is_solo, k.is_npc, k.is_awox,
       label_names(k.labels, k.ship_category_id) as labels,
       k.war_id, k.moon_id, k.location_id, k.position_x, k.position_y, k.position_z
from next.killmail k
left join eve_system s on s.solar_system_id = k.solar_system_id
left join eve_constellation c on c.constellation_id = k.constellation_id
left join eve_region r on r.region_id = k.region_id
left join eve_type t on t.type_id = k.ship_type_id
left join eve_group g on g.group_id = k.ship_group_id
left join character vp on vp.character_id = k.victim_character_id
left join corporation vc on vc.corporation_id = k.victim_corporation_id
left join eve_corporation vn on vn.corporation_id = k.victim_corporation_id
left join alliance va on va.alliance_id = k.victim_alliance_id
left join eve_faction vf on vf.faction_id = k.victim_faction_id
left join character fp on fp.character_id = k.final_blow_character_id
left join corporation fc on fc.corporation_id = k.final_blow_corporation_id
left join eve_corporation fn on fn.corporation_id = k.final_blow_corporation_id
left join alliance fa on fa.alliance_id = k.final_blow_alliance_id
left join eve_type ft on ft.type_id = k.final_blow_ship_type_id;

create or replace view analysis.attackers as
select k.killmail_id, a.ordinal, k.killmail_time as killed_at,
       a.character_id, p.name as character_name,
       a.corporation_id, coalesce(c.name, n.name) as corporation_name,
       a.alliance_id, l.name as alliance_name,
       a.faction_id, f.name as faction_name,
       a.ship_type_id, t.name as ship_type_name, a.weapon_type_id, w.name as weapon_type_name,
       a.damage_done, a.is_final_blow, a.security_status
from next.killmail k
cross join lateral unpack_attackers(k.attackers) a
left join character p on p.character_id = a.character_id
left join corporation c on c.corporation_id = a.corporation_id
left join eve_corporation n on n.corporation_id = a.corporation_id
left join alliance l on l.alliance_id = a.alliance_id
left join eve_faction f on f.faction_id = a.faction_id
left join eve_type t on t.type_id = a.ship_type_id
left join eve_type w on w.type_id = a.weapon_type_id;

create or replace view analysis.items as
select k.killmail_id, i.ordinal, i.parent_ordinal, k.killmail_time as killed_at,
       i.type_id, t.name as type_name, t.group_id, g.name as group_name, t.category_id, y.name as category_name,
       i.flag,
       case when i.flag between 11 and 18 then 'low' when i.flag between 19 and 26 then 'mid'
            when i.flag between 27 and 34 then 'high' when i.flag between 92 and 99 then 'rig'
            when i.flag between 125 and 132 then 'subsystem' when i.flag between 164 and 171 then 'service'
            when i.flag = 5 then 'cargo' when i.flag = 87 then 'drone bay' end as slot,
       coalesce(i.quantity_dropped, 0) as quantity_dropped, coalesce(i.quantity_destroyed, 0) as quantity_destroyed,
       i.singleton,
       -- 99 is killreport.market.price.PriceRule.UNKNOWN.
       case when i.price_rule <> 99 then (i.unit_price_cents::numeric / 100)::numeric(20, 2) end as unit_price_isk
from next.killmail k
cross join lateral unpack_items(k.items) i
left join eve_type t on t.type_id = i.type_id
left join eve_group g on g.group_id = t.group_id
left join eve_category y on y.category_id = t.category_id;

-- Whoever stores a killmail holds its day, and looks up whether it is stored or was removed: no gate is needed.
drop table killmail, attacker, item, killed_by, killmail_gate, daily_stat, total_stat, system_stat, activity_stat,
    daily_total;

do $$
declare
    one record;
begin
    for one in
        select relname, relkind from pg_class
        where relnamespace = 'next'::regnamespace and relkind in ('r', 'p', 'v') and relname <> 'move'
    loop
        execute format('alter %s next.%I set schema public', case one.relkind when 'v' then 'view' else 'table' end,
                       one.relname);
    end loop;
end $$;
drop table next.move;
drop schema next;
