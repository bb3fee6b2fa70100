-- Older releases work with this.
-- False where no price is known for the hull, or for an item there was at least one of: the values are then what the
-- rest was worth. A row that was stored before has true until it is valued again, which `update-prices` does.
alter table killmail add column is_value_complete boolean not null default true;
