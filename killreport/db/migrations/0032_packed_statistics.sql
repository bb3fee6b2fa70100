-- Statistics in few bytes: a row for a solar system and day, and the hours of a life in the row of that life.

-- Numbers from 0 on as MessagePack has them; the writer's are made by a library.
create function pack_integer(number bigint) returns bytea language sql immutable strict parallel safe as $$
    select case
        when number < 128 then substring(int4send(number::integer) from 4)
        when number < 256 then '\xcc'::bytea || substring(int4send(number::integer) from 4)
        when number < 65536 then '\xcd'::bytea || substring(int4send(number::integer) from 3)
        when number < 4294967296 then '\xce'::bytea || substring(int8send(number) from 5)
        else '\xcf'::bytea || int8send(number)
    end
$$;
comment on function pack_integer(bigint) is 'One number of 0 or more in MessagePack.';

create function pack_integers(numbers bigint[]) returns bytea language sql immutable strict parallel safe as $$
    select case
        when cardinality(numbers) < 16 then substring(int4send(144 + cardinality(numbers)) from 4)
        when cardinality(numbers) < 65536 then '\xdc'::bytea || substring(int4send(cardinality(numbers)) from 3)
        else '\xdd'::bytea || int4send(cardinality(numbers))
    end || coalesce(string_agg(pack_integer(number), '' order by place), '')
    from unnest(numbers) with ordinality as packed (number, place)
$$;
comment on function pack_integers(bigint[]) is 'An array of numbers of 0 or more in MessagePack.';

create function unpack_integers(packed bytea) returns bigint[] language plpgsql immutable strict parallel safe as $$
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
create function unpack_system_figures(figures bytea) returns table (
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

create function pack_system_figures(
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
    figures bytea not null,
    primary key (solar_system_id, day)
);
comment on table system_figures is 'Who did what where: the figures of everybody in a solar system on a UTC day.';
comment on column system_figures.solar_system_id is 'The solar system.';
comment on column system_figures.day is 'The day in UTC.';
comment on column system_figures.figures is
    'Kills, losses, solo kills, points and ISK of everybody there, packed; unpack_system_figures() gives the rows.';

insert into system_figures
select solar_system_id, day,
       pack_system_figures(array_agg(entity_kind), array_agg(entity_id), array_agg(kills::bigint),
           array_agg(losses::bigint), array_agg(solo_kills::bigint), array_agg(points_won),
           array_agg(isk_destroyed_cents), array_agg(isk_lost_cents))
from system_stat group by solar_system_id, day order by solar_system_id, day;
drop table system_stat;

-- What is added to a row is added at the end of it: changes that each are one number, in seven bits a byte with the
-- lowest first and 128 added where more follow. A change n of slot s, in 0 to 167, is z * 336 + s for kills and
-- z * 336 + 168 + s for losses, where z is 2 * (n - 1) for more and -2 * n - 1 for less.
create function unpack_activity(activity bytea) returns table (slot smallint, kills bigint, losses bigint)
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

create function pack_activity(slot integer, kills bigint, losses bigint) returns bytea
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

alter table total_stat add column activity bytea not null default '';
comment on column total_stat.activity is
    'Kills and losses by hour of the week, packed; unpack_activity() gives the rows. Empty where they are not counted.';
update total_stat set activity = hours.activity
from (select entity_kind, entity_id, string_agg(pack_activity(slot, kills, losses), '' order by slot) as activity
      from activity_stat group by entity_kind, entity_id) hours
where (total_stat.entity_kind, total_stat.entity_id) = (hours.entity_kind, hours.entity_id);
drop table activity_stat;
