"""Chargers, connectors and the commands to them."""
