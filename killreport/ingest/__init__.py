"""What comes from outside: killmails to the one writer, CCP's static data, EVE Ref's market days.

The domain below opens no connection. Whoever brings something in, a worker, a job, a command or the API, does it by
these.
"""
