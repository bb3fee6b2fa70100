"""Simulated archives: static data of CCP, and days of market history of EVE Ref."""
