"""Chargers, connectors, their messages, settings and history."""
