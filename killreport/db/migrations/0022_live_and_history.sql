-- What is told live, what is history, and what changed: an event says which, and only what is live has a number in the
-- feed of R2Z2's shape. The feed of everything keeps its numbers; they are in a column of their own from here on.
-- Both go on where the one row of numbers of before ended, so that no follower's cursor means anything else than it did.
alter table event add column first_place bigint;
update event set first_place = first_sequence;
alter table event alter column first_place set not null;
-- A process of an older release that goes on meanwhile gives none, and would number history. It is told what it takes
-- for a database that is away (55000): it waits until it is reloaded. A column without a default would have it take the
-- killmail for a bad one, and put it in quarantine.
create function older_release_waits() returns bigint language plpgsql volatile as $$
begin
    raise object_not_in_prerequisite_state
        using message = 'this process is of a release older than the database and stores nothing until it is reloaded';
end
$$;
alter table event alter column first_place set default older_release_waits();
create unique index event_by_place on event (first_place);
create index event_by_kind on event (kind, first_place);
alter table event alter column first_sequence drop not null;
alter table event drop constraint event_kind_check;
alter table event add constraint event_kind_check check (kind in ('stored', 'history', 'changed'));
-- Beside each killmail of a live event the older number that its package names as rewritten; null: none.
alter table event add column rewritten bigint[];

-- The numbers of the last days, whose packages may still be named as rewritten; `settled` ones are no longer here.
create table unsettled_number (
    killmail_id   bigint primary key,
    sequence      bigint not null,
    published_at  timestamptz not null,
    is_rewritten  boolean not null default false
);
create unique index unsettled_number_by_sequence on unsettled_number (sequence);
create index unsettled_number_rewritten on unsettled_number (sequence) where is_rewritten;
insert into unsettled_number (killmail_id, sequence, published_at)
select killmail_id, min(first_sequence + place - 1), min(at)
from event, unnest(killmail_ids) with ordinality as listed (killmail_id, place)
where kind = 'stored' and at >= now() - interval '7 days'
group by killmail_id;

-- Brought in when it was old, and not by a feed: told to nobody as news.
alter table killmail add column is_history boolean not null default false;
