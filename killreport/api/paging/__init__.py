"""Pages, cursors and scalars, which every list of the schema shares."""
