-- A killmail is one row: what attackers and items were rows of two tables is two columns of the killmail's own.
-- The layout is that of killreport.killmail.stored.number_columns and .packed, which write it.

do $$ begin
    if exists (select from killmail) then
        raise exception 'Killmails are stored in the layout of an older release, and this migration cannot move them.';
    end if;
end $$;

-- What was said of the relations that are made anew.
create temporary table said on commit drop as
select objoid::regclass::text as relation, attname as col, description as words
from pg_description left join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0
where classoid = 'pg_class'::regclass
  and objoid in ('attacker'::regclass, 'item'::regclass, 'analysis.attackers'::regclass, 'analysis.items'::regclass);

drop view analysis.attackers, analysis.items;
drop table attacker, item;
alter table killmail
    add column attackers bytea not null,
    add column items bytea not null;

-- Where the columns of packed numbers are: how many entries there are, and of each column the width of a number, the
-- bits of an index (-1: it has none), and where numbers and indexes begin.
create function packed_places(packed bytea, columns integer) returns integer[]
language plpgsql immutable strict parallel safe as $$
declare
    entries integer;
    place integer := 3;
    form integer;
    width integer;
    bits integer;
    different integer;
    found integer[];
begin
    if packed = '' then
        return array[0];
    end if;
    if get_byte(packed, 0) <> 1 then
        raise exception 'columns of version %, which this release does not know', get_byte(packed, 0);
    end if;
    entries := get_byte(packed, 1) * 256 + get_byte(packed, 2);
    found := array[entries];
    for number in 1..columns loop
        form := get_byte(packed, place);
        width := form & 15;
        place := place + 1;
        if form < 16 then
            found := found || array[width, -1, place, 0];
            place := place + width * entries;
        else
            bits := (array[0, 1, 2, 4, 8])[form >> 4];
            different := get_byte(packed, place) + 1;
            found := found || array[width, bits, place + 1, place + 1 + width * different];
            place := place + 1 + width * different + (entries * bits + 7) / 8;
        end if;
    end loop;
    return found;
end $$;

-- Which of a column's numbers an entry has. Columns and entries from 0. These are not strict, so that the planner puts
-- them into the statement, which then works out no column that nobody asks for.
create function packed_index(packed bytea, places integer[], number integer, entry integer) returns integer
language sql immutable parallel safe
begin atomic
    select case places[4 * number + 3] when -1 then entry when 0 then 0
        else get_byte(packed, places[4 * number + 5] + entry * places[4 * number + 3] / 8)
             >> entry * places[4 * number + 3] % 8 & (1 << places[4 * number + 3]) - 1 end;
end;

create function packed_number(packed bytea, places integer[], number integer, entry integer) returns bigint
language sql immutable parallel safe
begin atomic
    select case places[4 * number + 2]
        when 0 then 0
        when 1 then get_byte(packed, places[4 * number + 4] + packed_index(packed, places, number, entry))
        when 2 then ('x' || encode(substr(packed, places[4 * number + 4] + 1
                     + 2 * packed_index(packed, places, number, entry), 2), 'hex'))::bit(16)::bigint
        when 4 then ('x' || encode(substr(packed, places[4 * number + 4] + 1
                     + 4 * packed_index(packed, places, number, entry), 4), 'hex'))::bit(32)::bigint
        else ('x' || encode(substr(packed, places[4 * number + 4] + 1
              + 8 * packed_index(packed, places, number, entry), 8), 'hex'))::bit(64)::bigint end;
end;

-- Whole tenths, or the 32 bits of a real: killreport.killmail.stored.packed.
create function packed_security(number bigint) returns real
language sql immutable parallel safe
begin atomic
    select case
        when number = 0 then null
        when number < 256 then ((number - 128) / 10.0)::real
        -- Sign, fraction and exponent of a real; the smallest, and 0, have an exponent of 0 and nothing before the point.
        else ((case when number - 256 >> 31 = 1 then -1 else 1 end)::float8
              * ((number - 256 & 8388607) / 8388608::float8 + least(number - 256 >> 23 & 255, 1))
              * 2::float8 ^ (greatest(number - 256 >> 23 & 255, 1) - 127))::real end;
end;

-- The rows, as the tables were. `packed || ''` reads a long value once and not for every number, and the ordinals are
-- counted in an array because the planner takes an array for ten rows, and a series for a thousand.
create function unpack_attackers(packed bytea)
returns table (
    ordinal smallint, is_final_blow boolean, character_id bigint, corporation_id bigint, alliance_id bigint,
    faction_id bigint, ship_type_id bigint, weapon_type_id bigint, damage_done bigint, security_status real
)
language sql immutable parallel safe rows 5
begin atomic
    select entry::smallint, packed_number(bytes, places, 0, entry) = 1,
           nullif(packed_number(bytes, places, 1, entry), 0), nullif(packed_number(bytes, places, 2, entry), 0),
           nullif(packed_number(bytes, places, 3, entry), 0), nullif(packed_number(bytes, places, 4, entry), 0),
           nullif(packed_number(bytes, places, 5, entry), 0), nullif(packed_number(bytes, places, 6, entry), 0),
           packed_number(bytes, places, 7, entry), packed_security(packed_number(bytes, places, 8, entry))
    from (select packed || '' as bytes, packed_places(packed, 9) as places offset 0) found
    cross join lateral (
        select place - 1 as entry from unnest(array_positions(array_fill(0, array[places[1]]), 0)) as place) counted;
end;

create function unpack_items(packed bytea)
returns table (
    ordinal smallint, parent_ordinal smallint, flag smallint, price_rule smallint, type_id bigint, singleton smallint,
    quantity_dropped bigint, quantity_destroyed bigint, unit_price_cents bigint
)
language sql immutable parallel safe rows 16
begin atomic
    select entry::smallint, (nullif(packed_number(bytes, places, 0, entry), 0) - 1)::smallint,
           packed_number(bytes, places, 1, entry)::smallint, packed_number(bytes, places, 2, entry)::smallint,
           packed_number(bytes, places, 3, entry), packed_number(bytes, places, 4, entry)::smallint,
           packed_number(bytes, places, 5, entry), packed_number(bytes, places, 6, entry),
           packed_number(bytes, places, 7, entry)
    from (select packed || '' as bytes, packed_places(packed, 8) as places offset 0) found
    cross join lateral (
        select place - 1 as entry from unnest(array_positions(array_fill(0, array[places[1]]), 0)) as place) counted;
end;

create view attacker as
select killmail_id, entry.* from killmail cross join lateral unpack_attackers(attackers) entry;

create view item as
select killmail_id, entry.* from killmail cross join lateral unpack_items(items) entry;

create view analysis.attackers as
select k.killmail_id, a.ordinal, k.killmail_time as killed_at,
       a.character_id, p.name as character_name,
       a.corporation_id, coalesce(c.name, n.name) as corporation_name,
       a.alliance_id, l.name as alliance_name,
       a.faction_id, f.name as faction_name,
       a.ship_type_id, t.name as ship_type_name, a.weapon_type_id, w.name as weapon_type_name,
       a.damage_done, a.is_final_blow, a.security_status
from killmail k
cross join lateral unpack_attackers(k.attackers) a
left join character p on p.character_id = a.character_id
left join corporation c on c.corporation_id = a.corporation_id
left join eve_corporation n on n.corporation_id = a.corporation_id
left join alliance l on l.alliance_id = a.alliance_id
left join eve_faction f on f.faction_id = a.faction_id
left join eve_type t on t.type_id = a.ship_type_id
left join eve_type w on w.type_id = a.weapon_type_id;

create view analysis.items as
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
from killmail k
cross join lateral unpack_items(k.items) i
left join eve_type t on t.type_id = i.type_id
left join eve_group g on g.group_id = t.group_id
left join eve_category y on y.category_id = t.category_id;

do $$
declare
    one record;
begin
    for one in select * from said where col is null loop
        execute format('comment on view %s is %L', one.relation, one.words);
    end loop;
    for one in select * from said where col is not null loop
        execute format('comment on column %s.%I is %L', one.relation, one.col, one.words);
    end loop;
end $$;
comment on table killmail is 'One wide row a killmail, with its attackers and items.';
comment on column killmail.attackers is 'The attackers in ESI''s order, packed; the view attacker has them as rows.';
comment on column killmail.items is 'The items, packed, contents after their container; the view item has them as rows.';
comment on column item.quantity_dropped is 'How many of it dropped; 0 where none did.';
comment on column item.quantity_destroyed is 'How many of it were destroyed; 0 where none were.';
comment on function packed_places is 'Where the columns of packed numbers are in their bytes.';
comment on function packed_index is 'Which of the different numbers of a column an entry has.';
comment on function packed_number is 'The number that an entry has in a column of packed numbers.';
comment on function packed_security is 'The security status that a packed number means.';
comment on function unpack_attackers is 'The attackers of a killmail as rows.';
comment on function unpack_items is 'The items of a killmail as rows.';
