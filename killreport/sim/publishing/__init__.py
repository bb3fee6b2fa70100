"""What is published and when: made-up or real killmails, their packages, their prices, and an index of them."""
