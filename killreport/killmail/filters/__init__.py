"""What killmails can be filtered by: one table, and what is made of it: SQL, matching in memory, plain data."""
