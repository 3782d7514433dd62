"""Operators, sign-ins and API keys."""
