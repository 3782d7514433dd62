"""Money, tariffs, prices and bills."""
