"""PostgreSQL: the embedded server, the pool, migrations and listening.

Owns every connection. Callers above write their SQL in `store.py` and `queries.py` and receive a connection.
What must hold: nothing leaves session state (SET, advisory session locks, LISTEN) on a pooled connection, because
the pool does not reset connections when they come back.
"""
