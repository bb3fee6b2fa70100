-- Older releases work with this.

-- A base price is for so many units.
alter table eve_type add column portion_size integer not null default 1 check (portion_size > 0);

-- What makes what. A product may have several blueprints; an archive without blueprints leaves none.
create table eve_blueprint (
    blueprint_id         bigint primary key,
    product_id           bigint not null,
    product_quantity     integer not null,      -- of a run
    is_reaction          boolean not null,      -- by a formula, which no research makes cheaper
    material_ids         bigint[] not null,     -- what a run takes, unresearched
    material_quantities  integer[] not null
);

-- How much of an archive the importer kept: killreport.eve.importer.EXTENT.
alter table static_data add column extent smallint not null default 1;

-- By which rules of prices, and which static data, the stored killmails without a market price were last valued.
create table value_basis (
    is_only        boolean primary key default true check (is_only),
    rules_version  integer not null,            -- killreport.market.price.RULES_VERSION
    build_number   bigint not null,
    extent         smallint not null
);
-- Without a row nothing was valued by others than those of now.
insert into value_basis (rules_version, build_number, extent) select 1, 0, 0 where exists (select from killmail);

-- Killmails that are to be valued again one by one; a row goes when that is done.
create table killmail_value_due (
    killmail_id  bigint primary key
);

-- PLEX has a market of its own since that day: the files are read again for it.
delete from price_load where day >= '2025-07-07';

comment on column eve_type.portion_size is 'How many units base_price is for.';
comment on table eve_blueprint is 'What makes what, from CCP''s static data: one row a blueprint or reaction formula.';
comment on column eve_blueprint.blueprint_id is 'Type id of the blueprint.';
comment on column eve_blueprint.product_id is 'Type id of what it makes.';
comment on column eve_blueprint.product_quantity is 'Units that one run gives.';
comment on column eve_blueprint.is_reaction is 'Made by a reaction formula, which no research makes cheaper.';
comment on column eve_blueprint.material_ids is 'Type ids of what a run takes.';
comment on column eve_blueprint.material_quantities is 'Units of each material for a run, unresearched, in the order of material_ids.';
comment on column static_data.extent is 'How much of CCP''s archive the importer kept: 2 has portions and blueprints.';
comment on table value_basis is 'By which rules and static data the killmails without a market price were last valued.';
comment on column value_basis.is_only is 'True: there is one row at most.';
comment on column value_basis.rules_version is 'Version of the rules of prices.';
comment on column value_basis.build_number is 'Build of the static data.';
comment on column value_basis.extent is 'How much of that build was kept.';
comment on table killmail_value_due is 'Killmails that are to be valued again; a row goes when that is done.';
comment on column killmail_value_due.killmail_id is 'The killmail.';
comment on column price_day.average_cents is 'Average of the day where the type is traded, in hundredths of an ISK.';
