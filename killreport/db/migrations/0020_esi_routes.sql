-- Older releases work with this.
-- Which rate limit group each route of ESI was found in, so that a process that never asked it keeps its pauses.
create unlogged table esi_route (
    route       text primary key,
    rate_group  text not null
);
create index esi_route_by_group on esi_route (rate_group);
