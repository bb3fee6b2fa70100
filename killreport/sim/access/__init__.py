"""What comes before an answer: which host is meant, rate limits, faults on demand, tokens, and a count of requests."""
