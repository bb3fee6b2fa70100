-- The queues of the fleet table where no RabbitMQ is configured. Queue names are checked against that table by the
-- only code that writes here (killreport.queueing), so there is no table of queues.

-- Who takes messages. A consumer is alive while its connection holds the advisory lock (queue lock class, consumer_id):
-- the server drops the lock with the connection, so one that was killed is noticed without waiting for a clock.
create table queue_consumer (
    consumer_id  integer generated always as identity primary key,
    queue        text not null,
    attached_at  timestamptz not null default clock_timestamp()
);

create table queue_message (
    message_id    bigint generated always as identity primary key,   -- order of publication
    queue         text not null,
    priority      smallint not null,              -- higher first
    attempt       smallint not null default 1,    -- number of the attempt that is due or under way
    losses        smallint not null default 0,    -- how often it vanished with its consumer
    leased_by     integer,                        -- queue_consumer that has it in hand
    ready_at      timestamptz,                    -- null: now; else it waits for its next attempt
    published_at  timestamptz not null default now(),
    body          bytea not null
);
-- A message is in exactly one of these.
create index queue_message_ready on queue_message (queue, priority desc, message_id)
    where leased_by is null and ready_at is null;
create index queue_message_delayed on queue_message (queue, ready_at) where ready_at is not null;
create index queue_message_leased on queue_message (leased_by) where leased_by is not null;
-- Every row is dead soon: waiting for the usual fifth of the table would let the head of a queue fill with them.
alter table queue_message set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create table dead_letter (
    letter_id     bigint generated always as identity primary key,
    queue         text not null,
    priority      smallint not null,
    attempts      smallint not null,              -- how many were begun
    reason        text not null,
    published_at  timestamptz not null,
    died_at       timestamptz not null default clock_timestamp(),
    body          bytea not null
);
create index dead_letter_newest on dead_letter (queue, letter_id desc);
