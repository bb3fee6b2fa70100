"""What can be done through the API: asking for news of an entity, starting jobs, looking after dead letters."""
