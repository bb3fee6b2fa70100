"""What things look like in the schema: each a view over its row, made once where the thing never changes."""
