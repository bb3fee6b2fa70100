-- What search, lists of members, removals and the measure of completeness need.

-- Prefixes are found by these everywhere.
create index character_name on character (lower(name) text_pattern_ops);
create index corporation_name on corporation (lower(name) text_pattern_ops);
create index corporation_ticker on corporation (lower(ticker) text_pattern_ops);
create index alliance_name on alliance (lower(name) text_pattern_ops);
create index alliance_ticker on alliance (lower(ticker) text_pattern_ops);

-- Parts and misspellings are found by trigrams, where the server has them and lets us: search does without.
do $$
begin
    create extension if not exists pg_trgm;
    create index character_name_trigrams on character using gin (name gin_trgm_ops);
    create index corporation_name_trigrams on corporation using gin (name gin_trgm_ops);
    create index alliance_name_trigrams on alliance using gin (name gin_trgm_ops);
exception
    when insufficient_privilege or undefined_file or feature_not_supported or undefined_object then
        raise notice 'pg_trgm is not available: search finds names by their beginnings only';
end
$$;

-- Members, page by page.
drop index character_corporation;
create index character_corporation on character (corporation_id, character_id);
drop index corporation_alliance;
create index corporation_alliance on corporation (alliance_id, corporation_id);

-- Killmails taken out by hand. Their ids stay in killmail_gate, so that no source brings them back.
create table removed_killmail (
    killmail_id    bigint primary key,
    hash           bytea not null,
    killmail_time  timestamptz not null,
    reason         text not null,
    removed_at     timestamptz not null default now()
);

-- How many killmails zKillboard says a day has.
create table published_total (
    day          date primary key,
    killmails    integer not null,
    compared_at  timestamptz not null           -- when it was last read to be so
);
