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

drop table killed_by, daily_stat;
