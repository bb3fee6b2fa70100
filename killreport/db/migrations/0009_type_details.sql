-- What ESI tells of a type beyond the static data. Apart from eve_type, because an import replaces that one whole.
create table type_detail (
    type_id       integer primary key,
    description   text not null,
    mass          double precision,             -- kg
    volume        double precision,             -- m3, as flown
    capacity      double precision,             -- m3
    refreshed_at  timestamptz not null
);
