"""What the installation knows and how fresh it is."""
