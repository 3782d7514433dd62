"""The encrypted store: the only rooms that speak SQL."""
