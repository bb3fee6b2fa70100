"""The fleet for other process managers: rows of the fleet table in, the text of files out.

One module a target (pm2, systemd, compose, kubernetes). Nothing here touches a disk but `writing`, and no secret is
ever in a file: each target says by name where it takes them from.
"""
