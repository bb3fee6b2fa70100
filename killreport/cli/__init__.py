"""The command line: one module a command or group of commands, and the only place that puts the packages together.

Settings are read here and handed down; every deliberate error ends here as one sentence on stderr.
`main.py` names every command in one table and imports a module only when its command is used.
"""
