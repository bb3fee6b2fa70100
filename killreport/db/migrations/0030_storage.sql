-- Older releases work with this.
-- The tables that killmails are stored in from the next migration on, made beside those of today in a schema of their
-- own, so that killmails can be moved while an older release stores and serves. In a new database they are empty, and
-- the next migration follows at once.
--
-- A killmail is one row. Its attackers and items, which were rows of two tables, are two columns of its own; its labels
-- are the bits of a number; its hash, which follows from the rest, is worked out where it is asked for. The rows are in
-- partitions by ranges of ids, so that old years lie still, and can be moved or dropped.
-- The layout of what is packed is that of killreport.killmail.stored.number_columns and .packed.

create schema next;
comment on schema next is 'Where killmails are moved to while an older release still stores and serves.';
set local search_path = next, public;

create table move (event_id bigint not null, began_at timestamptz not null default now());
comment on table move is 'How far the move of the killmails is.';
comment on column move.event_id is 'What events up to this one tell of is moved, or will be found.';
comment on column move.began_at is 'When the tables to move to were made.';
insert into move (event_id) select coalesce(max(event_id), 0) from event;

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
create or replace function public.make_killmail_partition(killmail_id bigint) returns void
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
create or replace function public.killmail_hash(victim_id bigint, killer_id bigint, ship_type_id bigint, killed_at timestamptz)
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
create or replace function public.label_names(labels bigint, ship_category_id bigint) returns text[]
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
create or replace function public.packed_places(packed bytea, columns integer) returns integer[]
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
create or replace function public.packed_index(packed bytea, places integer[], number integer, entry integer) returns integer
language sql immutable parallel safe
begin atomic
    select case places[4 * number + 3] when -1 then entry when 0 then 0
        else get_byte(packed, places[4 * number + 5] + entry * places[4 * number + 3] / 8)
             >> entry * places[4 * number + 3] % 8 & (1 << places[4 * number + 3]) - 1 end;
end;

create or replace function public.packed_number(packed bytea, places integer[], number integer, entry integer) returns bigint
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
create or replace function public.packed_security(number bigint) returns real
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
create or replace function public.unpack_attackers(packed bytea)
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

create or replace function public.unpack_items(packed bytea)
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

-- Postings: of each day the ids of the killmails by everything that can be asked for, with the sums of their values,
-- points and flags. They take the place of the index of who killed, of the statistics of days, and of the indexes of
-- killmails by who, what and where.

create table posting (
    code           bigint   not null,
    isk_cents      bigint   not null,
    npc_isk_cents  bigint   not null,
    max_isk_cents  bigint   not null,
    points         bigint   not null,
    day            date     not null,
    killmails      integer  not null,
    max_points     integer  not null,
    solo           integer  not null,
    npc            integer  not null,
    final_blows    integer  not null,
    side           smallint not null,
    killmail_ids   bytea    not null,
    primary key (code, day, side)
) with (fillfactor = 90);

create index posting_day on posting (day);

-- What a posting adds to the statistics of an entity: the killing side's to its kills, the victim's side to its losses.
create view daily_part as
select (code & 15)::smallint as entity_kind, code >> 4 as entity_id, code, day,
       case side when 0 then killmails else 0 end as kills,
       case side when 1 then killmails else 0 end as losses,
       case side when 0 then solo else 0 end as solo_kills,
       case side when 0 then final_blows else 0 end as final_blows,
       case side when 0 then points else 0 end as points_won,
       case side when 1 then points else 0 end as points_lost,
       case side when 0 then isk_cents else 0 end as isk_destroyed_cents,
       case side when 1 then isk_cents else 0 end as isk_lost_cents,
       case side when 1 then npc else 0 end as npc_losses,
       case side when 1 then npc_isk_cents else 0 end as npc_isk_lost_cents,
       case side when 1 then solo else 0 end as solo_losses
from posting where code & 15 between 1 and 9;

-- Statistics in few bytes: a row for a solar system and day, and the hours of a life in the row of that life.

-- Numbers from 0 on as MessagePack has them; the writer's are made by a library.
create or replace function public.pack_integer(number bigint) returns bytea language sql immutable strict parallel safe as $$
    select case
        when number < 128 then substring(int4send(number::integer) from 4)
        when number < 256 then '\xcc'::bytea || substring(int4send(number::integer) from 4)
        when number < 65536 then '\xcd'::bytea || substring(int4send(number::integer) from 3)
        when number < 4294967296 then '\xce'::bytea || substring(int8send(number) from 5)
        else '\xcf'::bytea || int8send(number)
    end
$$;
comment on function pack_integer(bigint) is 'One number of 0 or more in MessagePack.';

create or replace function public.pack_integers(numbers bigint[]) returns bytea language sql immutable strict parallel safe as $$
    select case
        when cardinality(numbers) < 16 then substring(int4send(144 + cardinality(numbers)) from 4)
        when cardinality(numbers) < 65536 then '\xdc'::bytea || substring(int4send(cardinality(numbers)) from 3)
        else '\xdd'::bytea || int4send(cardinality(numbers))
    end || coalesce(string_agg(pack_integer(number), '' order by place), '')
    from unnest(numbers) with ordinality as packed (number, place)
$$;
comment on function pack_integers(bigint[]) is 'An array of numbers of 0 or more in MessagePack.';

create or replace function public.unpack_integers(packed bytea) returns bigint[] language plpgsql immutable strict parallel safe as $$
declare
    body bytea := packed || ''::bytea;  -- out of its compressed form once, and not for every byte
    numbers bigint[] := '{}';
    at integer := 1;
    head integer := get_byte(body, 0);
begin
    if head = 220 then at := 3; elsif head = 221 then at := 5; end if;
    while at < length(body) loop
        head := get_byte(body, at);
        case
            when head < 128 then
                numbers := numbers || head::bigint;
                at := at + 1;
            when head = 204 then
                numbers := numbers || get_byte(body, at + 1)::bigint;
                at := at + 2;
            when head = 205 then
                numbers := numbers || ((get_byte(body, at + 1) << 8) | get_byte(body, at + 2))::bigint;
                at := at + 3;
            when head = 206 then
                numbers := numbers || ('x' || encode(substring(body from at + 2 for 4), 'hex'))::bit(32)::bigint;
                at := at + 5;
            when head = 207 then
                numbers := numbers || ('x' || encode(substring(body from at + 2 for 8), 'hex'))::bit(64)::bigint;
                at := at + 9;
            else
                raise exception 'byte % of these figures is no number of 0 or more', at;
        end case;
    end loop;
    return numbers;
end $$;
comment on function unpack_integers(bytea) is 'The numbers of an array of MessagePack; all are 0 or more.';

-- The version, which is 1, how many sets of figures there are, and how many characters, corporations, alliances and ship
-- types. Then the sets, six figures each, and for each kind how many ids have each set and the ids in that order.
create or replace function public.unpack_system_figures(figures bytea) returns table (
    entity_kind smallint, entity_id bigint, kills bigint, losses bigint, solo_kills bigint, points_won bigint,
    isk_destroyed_cents bigint, isk_lost_cents bigint
) language plpgsql immutable strict parallel safe as $$
declare
    numbers bigint[] := unpack_integers(figures);
    kinds constant smallint[] := '{1, 2, 3, 5}';
    sets integer := numbers[2];
    at integer := 7 + 6 * sets;
    first integer;
    size integer;
begin
    if numbers[1] is distinct from 1 then
        raise exception 'figures of version % are not known here', numbers[1];
    end if;
    for kind in 1..4 loop
        first := at + sets;
        for place in 0..sets - 1 loop
            size := numbers[at + place];
            continue when size = 0;
            return query
                select kinds[kind], id, numbers[7 + 6 * place], numbers[8 + 6 * place], numbers[9 + 6 * place],
                       numbers[10 + 6 * place], numbers[11 + 6 * place], numbers[12 + 6 * place]
                from unnest(numbers[first:first + size - 1]) as id;
            first := first + size;
        end loop;
        at := first;
    end loop;
end $$;
comment on function unpack_system_figures(bytea) is
    'What system_figures.figures holds: one row for everybody who did something in the system on the day.';

create or replace function public.pack_system_figures(
    kinds smallint[], ids bigint[], kills bigint[], losses bigint[], solo_kills bigint[], points_won bigint[],
    isk_destroyed_cents bigint[], isk_lost_cents bigint[]
) returns bytea language sql immutable strict parallel safe as $$
    with figure as (
        select * from unnest(kinds, ids, kills, losses, solo_kills, points_won, isk_destroyed_cents, isk_lost_cents)
            as figure (kind, id, won, lost, solo, points, isk_won, isk_lost)
    ), same as (
        select won, lost, solo, points, isk_won, isk_lost, row_number() over () as place
        from figure group by won, lost, solo, points, isk_won, isk_lost
    ), member as (
        select kind, place, id from figure join same using (won, lost, solo, points, isk_won, isk_lost)
    ), of_kind as (
        select kind, place, array_agg(id order by id) filter (where id is not null) as ids
        from unnest('{1,2,3,5}'::smallint[]) as kind cross join same left join member using (kind, place)
        group by kind, place
    ), part (section, place, numbers) as (
        select 0, 0, array[1, count(*)] from same
        union all select 1, kind, array[coalesce(sum(cardinality(ids)), 0)::bigint] from of_kind group by kind
        union all select 2, place, array[won, lost, solo, points, isk_won, isk_lost] from same
        union all select 2 * kind + 1, place, array[coalesce(cardinality(ids), 0)::bigint] from of_kind
        union all select 2 * kind + 2, place, ids from of_kind
    )
    select pack_integers(array_agg(number order by section, part.place, one.place))
    from part cross join lateral unnest(numbers) with ordinality as one (number, place)
$$;
comment on function pack_system_figures(smallint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[])
    is 'The figures of a solar system and day as system_figures holds them; an element of each array for everybody.';

create table system_figures (
    solar_system_id bigint not null,
    day date not null,
    part smallint not null default 0,
    figures bytea not null,
    primary key (solar_system_id, day, part)
);
comment on table system_figures is 'Who did what where: the figures of everybody in a solar system on a UTC day.';
comment on column system_figures.solar_system_id is 'The solar system.';
comment on column system_figures.day is 'The day in UTC.';
-- Of a day with a fight the figures are long: what is added is kept beside them until it is a share of them.
comment on column system_figures.part is
    '0; and 1 for what was added to a long row since it was written: everybody''s figures are the sums of both.';
comment on column system_figures.figures is
    'Kills, losses, solo kills, points and ISK of everybody there, packed; unpack_system_figures() gives the rows.';

-- What is added to a row is added at the end of it: changes that each are one number, in seven bits a byte with the
-- lowest first and 128 added where more follow. A change n of slot s, in 0 to 167, is z * 336 + s for kills and
-- z * 336 + 168 + s for losses, where z is 2 * (n - 1) for more and -2 * n - 1 for less.
create or replace function public.unpack_activity(activity bytea) returns table (slot smallint, kills bigint, losses bigint)
language plpgsql immutable strict parallel safe as $$
declare
    body bytea := activity || ''::bytea;
    sums bigint[] := array_fill(0, array[336]);
    at integer := 0;
    byte integer;
    bits integer;
    number bigint;
    place integer;
begin
    while at < length(body) loop
        number := 0;
        bits := 0;
        loop
            byte := get_byte(body, at);
            number := number | ((byte & 127)::bigint << bits);
            at := at + 1;
            bits := bits + 7;
            exit when byte < 128;
        end loop;
        place := number % 336 + 1;
        number := number / 336;
        sums[place] := sums[place] + case when number % 2 = 0 then number / 2 + 1 else -(number + 1) / 2 end;
    end loop;
    return query select hour::smallint, sums[hour + 1], sums[hour + 169] from generate_series(0, 167) as hour
                 where sums[hour + 1] <> 0 or sums[hour + 169] <> 0;
end $$;
comment on function unpack_activity(bytea) is
    'What total_stat.activity holds: one row an hour of the week with a killmail; slot 0 is Monday 00:00 UTC.';

create or replace function public.pack_activity(slot integer, kills bigint, losses bigint) returns bytea
language plpgsql immutable strict parallel safe as $$
declare
    body bytea := '';
    number bigint;
begin
    for side in 0..1 loop
        number := case when side = 0 then kills else losses end;
        continue when number = 0;
        number := case when number > 0 then 2 * (number - 1) else -2 * number - 1 end * 336 + side * 168 + slot;
        while number > 127 loop
            body := body || substring(int4send(((number & 127) | 128)::integer) from 4);
            number := number >> 7;
        end loop;
        body := body || substring(int4send(number::integer) from 4);
    end loop;
    return body;
end $$;
comment on function pack_activity(integer, bigint, bigint) is
    'Kills and losses in an hour of the week as total_stat.activity holds them; those of several hours are joined.';

-- The totals of days and of whole lives are what they were, with the hours of a life in a column of it.
create table daily_total (like public.daily_total including all);
create table total_stat (like public.total_stat including all) with (fillfactor = 80);
alter table total_stat add column activity bytea not null default '';
comment on column total_stat.activity is
    'Kills and losses by hour of the week, packed; unpack_activity() gives the rows. Empty where they are not counted.';

-- What was said of the columns that stay.
do $$
declare
    one record;
begin
    for one in
        select relation, attname, description
        from unnest(array['killmail', 'attacker', 'item', 'daily_total', 'total_stat']) as relation
        join pg_description on objoid = ('public.' || relation)::regclass and classoid = 'pg_class'::regclass
        join pg_attribute on attrelid = objoid and attnum = objsubid and objsubid > 0 and attname <> 'hash'
    loop
        execute format('comment on column next.%I.%I is %L', one.relation, one.attname, one.description);
    end loop;
    for one in
        select relation, description
        from unnest(array['attacker', 'item', 'daily_total', 'total_stat']) as relation
        join pg_description on objoid = ('public.' || relation)::regclass and classoid = 'pg_class'::regclass
             and objsubid = 0
    loop
        execute format('comment on %s next.%I is %L',
                       case when one.relation in ('attacker', 'item') then 'view' else 'table' end,
                       one.relation, one.description);
    end loop;
end $$;
comment on table posting is 'Of each day the killmails by everything that can be asked for, with sums of theirs.';
comment on column posting.code is 'What the killmails have in common: its id, and in the lowest four bits of what kind it is.';
comment on column posting.isk_cents is 'Worth of the killmails in hundredths of an ISK.';
comment on column posting.npc_isk_cents is 'Worth of those by NPCs alone in hundredths of an ISK.';
comment on column posting.max_isk_cents is 'No killmail is worth more; one that was may be gone.';
comment on column posting.points is 'Points of the killmails.';
comment on column posting.day is 'The day in UTC.';
comment on column posting.killmails is 'How many killmails.';
comment on column posting.max_points is 'No killmail has more points; one that had may be gone.';
comment on column posting.solo is 'How many are by one pilot alone.';
comment on column posting.npc is 'How many are by NPCs alone.';
comment on column posting.final_blows is 'How many final blows it struck.';
comment on column posting.side is '0 for the killing side, places and everything else; 1 for the victim.';
comment on column posting.killmail_ids is 'The ids of the killmails, packed as killreport.killmail.postings.packing has them.';
comment on view daily_part is 'What each posting adds to the statistics of its entity on its day.';
comment on column daily_part.entity_kind is 'The kind of the entity, a number of killreport.entity.kind.';
comment on column daily_part.entity_id is 'Its id.';
comment on column daily_part.code is 'The code of the posting.';
comment on column daily_part.day is 'The day in UTC.';
comment on column daily_part.kills is 'Killmails it was on the killing side of.';
comment on column daily_part.losses is 'Killmails it lost.';
comment on column daily_part.solo_kills is 'Of the kills, those by one pilot alone.';
comment on column daily_part.final_blows is 'Final blows.';
comment on column daily_part.points_won is 'Points of the kills.';
comment on column daily_part.points_lost is 'Points of the losses.';
comment on column daily_part.isk_destroyed_cents is 'Worth of the kills in hundredths of an ISK.';
comment on column daily_part.isk_lost_cents is 'Worth of the losses in hundredths of an ISK.';
comment on column daily_part.npc_losses is 'Of the losses, those to NPCs alone.';
comment on column daily_part.npc_isk_lost_cents is 'Worth of the losses to NPCs alone in hundredths of an ISK.';
comment on column daily_part.solo_losses is 'Of the losses, those to one pilot alone.';
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

set local search_path to default;
