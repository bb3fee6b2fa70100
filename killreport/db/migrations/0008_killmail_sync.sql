-- How far the killmails of single characters have been read, and whose turn it is to ask a host that wants it slow.

-- The recent killmails of a player who logged in. account_id is of the account; no token is ever stored here.
create table killmail_sync (
    account_id             bigint primary key,
    character_id           bigint not null,
    last_killmail_sync_at  timestamptz not null,
    newest_killmail_id     bigint                    -- null: the character had none
);

-- The walk through a character's list on zKillboard. page: the last that is stored and followed by its successor.
create table character_history (
    character_id  bigint primary key,
    page          integer not null,
    updated_at    timestamptz not null default now(),
    finished_at   timestamptz                        -- when the walk came to the list's end
);

-- When the next request to an endpoint may start; whoever moves it on owns the turn that stood there.
create table request_turn (
    endpoint  text primary key,
    free_at   timestamptz not null
);
