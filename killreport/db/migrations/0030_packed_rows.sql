-- A killmail is one row. Its attackers and items, which were rows of two tables, are two columns of its own; its labels
-- are the bits of a number; its hash, which follows from the rest, is worked out where it is asked for. The rows are in
-- partitions by ranges of ids, so that old years lie still, and can be moved or dropped.
-- The layout of what is packed is that of killreport.killmail.stored.number_columns and .packed.

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
  and objoid in ('killmail'::regclass, 'attacker'::regclass, 'item'::regclass, 'analysis.killmails'::regclass,
                 'analysis.attackers'::regclass, 'analysis.items'::regclass)
  and not (objoid = 'killmail'::regclass and coalesce(attname, '') = 'hash');

drop view analysis.killmails, analysis.attackers, analysis.items;
-- Whoever stores a killmail holds its day, and looks up whether it is stored or was removed.
drop table killmail, attacker, item, killmail_gate;

-- The widest columns first, so that nothing is lost between them.
create table killmail (
    killmail_id                bigint not null,
    killmail_time              timestamptz not null,
    stored_at                  timestamptz not null default now(),
    solar_system_id            bigint not null,
    constellation_id           bigint,
    region_id                  bigint,
    war_id                     bigint,
    moon_id                    bigint,
    location_id                bigint,
    victim_character_id        bigint,
    victim_corporation_id      bigint,
    victim_alliance_id         bigint,
    victim_faction_id          bigint,
    ship_type_id               bigint not null,
    ship_group_id              bigint,
    ship_category_id           bigint,
    damage_taken               bigint not null,
    position_x                 double precision,
    position_y                 double precision,
    position_z                 double precision,
    final_blow_character_id    bigint,
    final_blow_corporation_id  bigint,
    final_blow_alliance_id     bigint,
    final_blow_faction_id      bigint,
    final_blow_ship_type_id    bigint,
    final_blow_ship_group_id   bigint,
    final_blow_weapon_type_id  bigint,
    ship_value_cents           bigint not null,
    fitted_value_cents         bigint not null,
    dropped_value_cents        bigint not null,
    destroyed_value_cents      bigint not null,
    total_value_cents          bigint not null,
    labels                     bigint not null,
    attacker_count             integer not null,
    player_count               integer not null,
    points                     integer not null,
    ship_price_rule            smallint not null,
    is_value_complete          boolean not null,
    is_npc                     boolean not null,
    is_solo                    boolean not null,
    is_awox                    boolean not null,
    is_history                 boolean not null default false,
    source                     text not null,
    attackers                  bytea not null,
    items                      bytea not null,
    primary key (killmail_id)
) partition by range (killmail_id);

-- Ascending, because time is: a page of the index is full before the next one begins.
create index killmail_newest on killmail (killmail_time, killmail_id);
create index killmail_by_value on killmail (total_value_cents, killmail_id);
create index killmail_by_points on killmail (points, killmail_id);
create index killmail_dearest_of_day on killmail
    (((killmail_time at time zone 'UTC')::date), total_value_cents desc, killmail_id desc);
create index killmail_dearest_of_system on killmail
    (solar_system_id, ((killmail_time at time zone 'UTC')::date), total_value_cents desc, killmail_id desc);
create index killmail_priceless on killmail (ship_type_id) where ship_price_rule >= 30;

-- The partition of an id: of 5,000,000 ids, made when the first killmail of its range comes.
-- A table that is attached keeps nobody from reading or writing the others, as one that is made in its place would.
create function make_killmail_partition(killmail_id bigint) returns void
language plpgsql as $$
declare
    first bigint := killmail_id - killmail_id % 5000000;
    name text := 'killmail_' || first;
    beyond text := case when first > 9223372036854775807 - 5000000 then 'maxvalue' else (first + 5000000)::text end;
begin
    -- One at a time; spells "part" in ASCII.
    perform pg_advisory_xact_lock(1885434484);
    if to_regclass(name) is null then
        execute format('create table %I (like killmail including all)', name);
        execute format('comment on table %I is %L', name, 'The killmails of a range of ids.');
        execute format('alter table killmail attach partition %I for values from (%s) to (%s)', name, first, beyond);
    end if;
end $$;

-- ESI's hash of a killmail: SHA-1 over who died, who killed, in what hull and when. PostgreSQL has no SHA-1 of its own
-- but in an extension that not every server has.
create function killmail_hash(victim_id bigint, killer_id bigint, ship_type_id bigint, killed_at timestamptz)
returns bytea
language plpgsql immutable parallel safe cost 100000 as $$
declare
    low constant bigint := 4294967295;
    -- Windows counts tenths of a microsecond from 1601-01-01.
    message bytea := convert_to(
        coalesce(victim_id::text, 'None') || coalesce(killer_id::text, 'None') || ship_type_id
        || trunc(extract(epoch from killed_at))::bigint * 10000000 + 116444736000000000, 'UTF8');
    padded bytea := message || '\x80' || decode(repeat('00', (119 - length(message) % 64) % 64), 'hex')
                    || int8send(length(message) * 8::bigint);
    words bigint[];
    word bigint;
    h0 bigint := 1732584193;
    h1 bigint := 4023233417;
    h2 bigint := 2562383102;
    h3 bigint := 271733878;
    h4 bigint := 3285377520;
    a bigint;
    b bigint;
    c bigint;
    d bigint;
    e bigint;
    f bigint;
begin
    for block in 0 .. length(padded) / 64 - 1 loop
        a := h0;
        b := h1;
        c := h2;
        d := h3;
        e := h4;
        for i in 1 .. 80 loop
            if i <= 16 then
                words[i] := ('x' || encode(substr(padded, block * 64 + i * 4 - 3, 4), 'hex'))::bit(32)::bigint;
            else
                word := words[i - 3] # words[i - 8] # words[i - 14] # words[i - 16];
                words[i] := ((word << 1) | (word >> 31)) & low;
            end if;
            f := case when i <= 20 then ((b & c) | (~b & d)) + 1518500249
                      when i <= 40 then (b # c # d) + 1859775393
                      when i <= 60 then ((b & c) | (b & d) | (c & d)) + 2400959708
                      else (b # c # d) + 3395469782 end;
            word := (((a << 5) | (a >> 27)) + f + e + words[i]) & low;
            e := d;
            d := c;
            c := ((b << 30) | (b >> 2)) & low;
            b := a;
            a := word;
        end loop;
        h0 := (h0 + a) & low;
        h1 := (h1 + b) & low;
        h2 := (h2 + c) & low;
        h3 := (h3 + d) & low;
        h4 := (h4 + e) & low;
    end loop;
    return decode(lpad(to_hex(h0), 8, '0') || lpad(to_hex(h1), 8, '0') || lpad(to_hex(h2), 8, '0')
                  || lpad(to_hex(h3), 8, '0') || lpad(to_hex(h4), 8, '0'), 'hex');
end $$;

-- The labels of a killmail in the order in which they are shown, by the numbers of killreport.killmail.mail.label_numbers.
create function label_names(labels bigint, ship_category_id bigint) returns text[]
language sql immutable parallel safe
begin atomic
    select coalesce(array_agg(name order by place), '{}')
    from (
        select place::numeric, name
        from unnest(array[
            'tz:use', 'tz:usw', 'tz:au', 'tz:ru', 'tz:eu',
            '#:1', '#:2+', '#:5+', '#:10+', '#:25+', '#:50+', '#:100+', '#:1000+', 'solo', 'npc', 'pvp', 'awox',
            'loc:highsec', 'loc:lowsec', 'loc:nullsec', 'loc:w-space', 'loc:drifter', 'loc:abyssal',
            'isk:1b+', 'isk:5b+', 'isk:10b+', 'isk:100b+', 'isk:1t+', 'capital',
            'fw:caldari', 'fw:gallente', 'fw:amarr', 'fw:minmatar', 'fw:calgal', 'fw:amamin', 'atShip',
            'ganked', 'padding'
        ]) with ordinality as numbered (name, place)
        where labels >> place::integer - 1 & 1 = 1
        union all
        select 5.5, 'cat:' || ship_category_id where ship_category_id is not null
    ) as found;
end;

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

create view analysis.killmails as
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
from killmail k
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
        execute format('comment on %s %s is %L', case one.relation when 'killmail' then 'table' else 'view' end,
                       one.relation, one.words);
    end loop;
    for one in select * from said where col is not null loop
        execute format('comment on column %s.%I is %L', one.relation, one.col, one.words);
    end loop;
end $$;
comment on table killmail is 'One wide row a killmail, with its attackers and items.';
comment on column killmail.labels is 'Labels such as solo and isk:1b+, a bit each; label_names(labels, ship_category_id) tells which.';
comment on column killmail.ship_category_id is 'The category of the ship that was lost, which the label cat: tells.';
comment on column killmail.attackers is 'The attackers in ESI''s order, packed; the view attacker has them as rows.';
comment on column killmail.items is 'The items, packed, contents after their container; the view item has them as rows.';
comment on column item.quantity_dropped is 'How many of it dropped; 0 where none did.';
comment on column item.quantity_destroyed is 'How many of it were destroyed; 0 where none were.';
comment on function make_killmail_partition is 'Make the partition in which a killmail of this id is stored.';
comment on function killmail_hash is 'The 20 bytes of ESI''s hash of a killmail.';
comment on function label_names is 'The labels of a killmail in the order in which they are shown.';
comment on function packed_places is 'Where the columns of packed numbers are in their bytes.';
comment on function packed_index is 'Which of the different numbers of a column an entry has.';
comment on function packed_number is 'The number that an entry has in a column of packed numbers.';
comment on function packed_security is 'The security status that a packed number means.';
comment on function unpack_attackers is 'The attackers of a killmail as rows.';
comment on function unpack_items is 'The items of a killmail as rows.';
