"""New Eden in a box: R2Z2, RedisQ, zKillboard's API and ESI on one port of this machine, without a database.

Everything answered follows from the seed, the journal of what was published and, where given, a corpus of real
killmails: two simulators with the same three give the same answers. The demo, the tests and the benches rely on it.
"""
