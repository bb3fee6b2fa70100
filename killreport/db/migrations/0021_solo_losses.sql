-- Older releases work with this.
-- Of the losses, those to one player alone. After an older release wrote, `killreport db recount --rebuild` counts them.

alter table daily_stat add column solo_losses integer not null default 0;
alter table total_stat add column solo_losses integer not null default 0;

create temporary table solo_loss on commit drop as
select kind::smallint as entity_kind, entity_id, (killmail_time at time zone 'UTC')::date as day,
       count(*)::integer as losses
from killmail cross join lateral (values
    (1, victim_character_id), (2, victim_corporation_id), (3, victim_alliance_id), (4, victim_faction_id),
    (5, ship_type_id), (6, ship_group_id)) as side(kind, entity_id)
where is_solo and entity_id is not null group by 1, 2, 3;

update daily_stat set solo_losses = solo_loss.losses from solo_loss
where (daily_stat.entity_kind, daily_stat.entity_id, daily_stat.day)
      = (solo_loss.entity_kind, solo_loss.entity_id, solo_loss.day);
update total_stat set solo_losses = whole.losses
from (select entity_kind, entity_id, sum(losses)::integer as losses from solo_loss group by 1, 2) whole
where (total_stat.entity_kind, total_stat.entity_id) = (whole.entity_kind, whole.entity_id);
