"""Logging set-up: static event names with ids and numbers; JSON in production, text in a terminal, always stderr."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

LogFormat = Literal["auto", "json", "text"]


def configure_logging(level: str, log_format: LogFormat, process: str | None = None) -> None:
    """Send structlog and the standard library's loggers to stderr; `auto` is text on a terminal, else JSON.

    process: bound to every line as `process`, so that lines of several processes can share a stream.
    Calling it again replaces the set-up.
    """
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    numeric_level = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.types.Processor
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric_level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    if process is not None:
        structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(stream=sys.stderr, level=max(numeric_level, logging.WARNING), force=True)
