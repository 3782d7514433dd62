"""Sessions, readings, orders, reservations, the review list."""
