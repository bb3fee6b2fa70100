"""Which function does what of the operations."""

from __future__ import annotations

from killreport.api.engine.registry import Resolvers
from killreport.api.operation.jobs import resolve_trigger_job
from killreport.api.operation.letters import resolve_dead_letters, resolve_purge, resolve_retry
from killreport.api.operation.refresh import resolve_refresh_entity

resolvers = Resolvers()
resolvers.root("Query", "deadLetters", resolve_dead_letters)
resolvers.root("Mutation", "refreshEntity", resolve_refresh_entity)
resolvers.root("Mutation", "triggerJob", resolve_trigger_job)
resolvers.root("Mutation", "retryDeadLetters", resolve_retry)
resolvers.root("Mutation", "purgeDeadLetters", resolve_purge)
resolvers.columns(
    "DeadLetter", id="letter_id", queueName="queue", body=lambda letter: letter.body.decode(errors="replace")
)
