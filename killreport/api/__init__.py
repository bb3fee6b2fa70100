"""The GraphQL API: one schema over the domain, over HTTP and over WebSocket.

Owns the schema (SDL files beside their resolvers, one folder a domain), limits on queries, masking of errors and the
fan-out of live events. What must hold: no SQL here; the number of statements of a query never grows with its rows;
no inner detail of a failure reaches the caller. The site and everybody's programs rely on it.
"""
