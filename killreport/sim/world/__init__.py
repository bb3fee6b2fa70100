"""What the simulated New Eden holds: people, space, market, hulls and fittings, all following from ids and the seed."""
