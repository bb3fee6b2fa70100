"""What the installation holds, and how complete it is, in the API."""
