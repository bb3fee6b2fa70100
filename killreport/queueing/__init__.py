"""The message layer: queues of the fleet table over RabbitMQ or over the embedded database, behind one interface.

What must hold on both: a published message is confirmed before `publish_many` returns and survives any crash; it is
handled at least once and is gone only when its handler returned, or when it lies in its queue's dead letters with the
reason. The workers, the jobs, the status and `killreport queue` rely on it.
"""
