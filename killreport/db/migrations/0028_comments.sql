-- Older releases work with this.
-- What the columns hold that came after the sentences on all of them.
comment on column eve_type.service_slots is 'How many service slots the structure has.';
comment on column eve_type.squadron_size is 'How many fighters a full squadron has; null for what is no fighter.';
