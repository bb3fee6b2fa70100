-- Runs of scheduled jobs, and values that were worked out again.

-- One row a run. `running` without the job's advisory lock is a run whose process died; the next run says so.
create table job_run (
    run_id      bigint generated always as identity primary key,
    job         text not null,
    trigger     text not null check (trigger in ('schedule', 'hand')),
    status      text not null check (status in ('running', 'succeeded', 'failed', 'skipped', 'stopped')),
    started_at  timestamptz not null default clock_timestamp(),
    ended_at    timestamptz,
    counts      jsonb not null default '{}',
    report      text,
    error       text,
    check ((status = 'running') = (ended_at is null))
);
create index job_run_newest on job_run (job, run_id desc);

-- A killmail's value before and after it was worked out again, hundredths of an ISK.
create table value_change (
    change_id    bigint generated always as identity primary key,
    killmail_id  bigint not null,
    changed_at   timestamptz not null default now(),
    old_cents    bigint not null,
    new_cents    bigint not null,
    reason       text not null
);
create index value_change_killmail on value_change (killmail_id);

-- The files of market days that were read. EVE Ref amends a file for about a week, so when it was read matters.
create table price_load (
    day        date primary key,
    loaded_at  timestamptz not null default now(),
    types      integer not null,                -- 0: there is no such file, or nothing of The Forge in it
    source     text not null
);

-- Days whose killmails were valued before a market price came that concerns them: its own day and those of the window
-- after it. The row goes when they are valued again.
create table value_due (
    day    date primary key,
    since  timestamptz not null default clock_timestamp()
);

-- Who carried what nobody knew a price of (rules 30 and 99 of killreport.market.price.PriceRule): found by type when
-- its first price comes.
create index item_priceless on item (type_id) where price_rule >= 30;
create index killmail_priceless on killmail (ship_type_id) where ship_price_rule >= 30;
