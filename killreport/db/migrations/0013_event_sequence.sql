-- The board's own feed: every killmail of every event has a number, from 0, dense and in the order of the commits.
-- An event has the number of its first killmail; the others follow in the order of the array.
alter table event add column first_sequence bigint;
update event set first_sequence = numbered.first_sequence
from (select event_id, (sum(cardinality(killmail_ids)) over (order by event_id) - cardinality(killmail_ids))::bigint
             as first_sequence
      from event) numbered
where numbered.event_id = event.event_id;
alter table event alter column first_sequence set not null;
create unique index event_by_sequence on event (first_sequence);
