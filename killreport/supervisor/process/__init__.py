"""One process: how it is started, found again, watched and ended."""
