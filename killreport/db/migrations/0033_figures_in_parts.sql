-- Of a day with a fight the figures are long: what is added is kept beside them until it is a share of them.
alter table system_figures add column part smallint not null default 0;
alter table system_figures drop constraint system_figures_pkey;
alter table system_figures add primary key (solar_system_id, day, part);
comment on column system_figures.part is
    '0; and 1 for what was added to a long row since it was written: everybody''s figures are the sums of both.';
