"""Killmails from outside to the one writer: read from feeds and files, asked for at ESI, repaired day by day.

The domain below opens no connection. Whoever brings killmails in, a worker, a job, a command or the API, does it by
these.
"""
