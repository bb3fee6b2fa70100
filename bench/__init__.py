"""Measurements, as ratios inside one run against a named baseline; see bench/README.md for the commands."""
