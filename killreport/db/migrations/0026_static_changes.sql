-- Older releases work with this.
-- Changes of the static data, numbered: how running processes notice, and which killmails are to be derived again.

-- One row a type that was learnt, or one for everything (type_id is null), which replaces all before it.
create table static_change (
    version     bigint primary key,
    type_id     bigint,
    changed_at  timestamptz not null default now()
);

-- The types and systems whose killmails are to be derived again, and how far that is.
create table derive_due (
    kind              text not null check (kind in ('type', 'system')),
    id                bigint not null,
    version           bigint not null,                     -- of the change
    former_group_ids  bigint[] not null default '{}',     -- those that killmails may still be counted for
    phase             smallint not null default 0,         -- which of the ways to its killmails is being gone
    at                timestamptz not null default '1970-01-01Z',
    after_id          bigint not null default 0,           -- done up to here: this time and this killmail
    primary key (kind, id)
);

-- The group of the hull that struck the final blow, as it was counted: 0 for none, null where an older release stored it.
alter table killmail add column final_blow_ship_group_id bigint;

comment on column killmail.final_blow_ship_group_id is
    'The group of the hull that struck the final blow, as it was counted; 0 where it was unknown, null where an older release stored it.';
comment on table static_change is 'Changes of the static data since it was loaded first: how running processes notice.';
comment on column static_change.version is 'Grows with every change.';
comment on column static_change.type_id is 'The type that was learnt; null where everything may have changed.';
comment on column static_change.changed_at is 'When.';
comment on table derive_due is 'The types and systems whose killmails are to be derived again, and how far that is.';
comment on column derive_due.kind is 'What it is: type or system.';
comment on column derive_due.id is 'The type or the system.';
comment on column derive_due.version is 'Of the change.';
comment on column derive_due.former_group_ids is 'The groups that killmails may still be counted for.';
comment on column derive_due.phase is 'Which of the ways to its killmails is being gone, from 0.';
comment on column derive_due.at is 'Killmails up to this time are done on this way.';
comment on column derive_due.after_id is 'And of that time up to this killmail.';

-- Whoever stores killmails holds the static data still. The lock spells "static"; what is read after it is of then.
create function held_static_version() returns bigint language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock_shared(x'737461746963'::bigint);
    return coalesce((select max(version) from static_change), 0);
end
$$;

-- What ESI was asked for was unknown when a killmail named it, and nobody has mended that killmail.
insert into derive_due (kind, id, version)
select 'type', type_id, 0 from type_detail join eve_type using (type_id);
