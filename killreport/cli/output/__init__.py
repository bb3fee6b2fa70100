"""What commands print: tables, plain values and JSON, to a terminal that may stand still."""
