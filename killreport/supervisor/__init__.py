"""The supervisor: runs the processes of the fleet table on one machine, and survives its own death.

What must hold: state lives in kernel objects, not in files that can be wrong. Whether a process is alive says the lock
it inherited; who it is says a pidfd; what it wrote waits in a pipe that it holds itself. So a supervisor killed at any
moment leaves its children running, and the next one takes over exactly those. Nothing here knows what the processes do:
they are told apart by their rows, and speak systemd's protocol. Linux only.
"""
