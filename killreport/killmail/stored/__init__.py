"""What is kept of killmails and how it is read back: rows, events, rollups, quarantine. Every list is bounded."""
