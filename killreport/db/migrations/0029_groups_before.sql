-- Older releases work with this.
-- Of the types that ESI was asked for, an older release knew most and counted their killmails in their groups. What is
-- to be derived again for them is taken out of those groups; where a type was not known, `killed_by` says so.
update derive_due set former_group_ids = array[eve_type.group_id]
from eve_type
where derive_due.kind = 'type' and derive_due.version = 0 and derive_due.former_group_ids = '{}'
  and eve_type.type_id = derive_due.id;
