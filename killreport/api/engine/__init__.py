"""A breadth-first GraphQL executor: a resolver is called once for all parents of its field, never once for each.

Owns how a validated operation is run: plans, the calls of resolvers, completion of values, bubbling of nulls, errors.
What must hold: it knows GraphQL and nothing of killmails, and it gives the data and errors that graphql-core gives,
which also parses, validates and coerces for it. The schema and its resolvers rely on it.
"""
