"""Pages of killmails: by cursor, by number, of many entities or places at once, and how many there are in all."""
