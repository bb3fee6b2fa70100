"""Commands of the data: the database, static data, imports, exports, history, quarantine, single killmails."""
