"""What stands between strangers and the two services: who they are, what a connection may hold, how many there may be.

What must hold: nothing that a stranger sends grows without a bound or waits without an end, whoever is refused is told
so in the protocol it speaks, and the fleet's own site and the probes of its health get in when strangers fill the rest.
"""
