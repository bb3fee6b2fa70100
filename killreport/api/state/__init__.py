"""What an API process holds for all its requests: live events, facts, prices, the state of the fleet."""
