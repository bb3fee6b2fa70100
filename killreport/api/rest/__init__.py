"""The API for programs that do not speak GraphQL: zKillboard's reads, an R2Z2 and RedisQ feed, RSS and Atom.

Owns the shapes and addresses of these, and the OpenAPI document that describes them; what they are filled with comes
from `killreport.killmail`. Knows no SQL. What must hold: a tool that was written for zKillboard's API or feed, and our
own worker, work against it when only the host's name is changed.
"""
