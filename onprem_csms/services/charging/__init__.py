"""Charging sessions: authorization, what chargers report, prepaid, bills, review."""
