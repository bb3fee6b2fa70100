"""What stands between a request and the schema: HTTP, WebSocket, documents, rights, limits, and words for failures."""
