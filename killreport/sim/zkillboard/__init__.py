"""The simulated zKillboard: R2Z2, RedisQ, its history and its API for lists of killmails."""
