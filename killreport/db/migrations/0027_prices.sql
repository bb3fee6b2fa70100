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
