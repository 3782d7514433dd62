"""Sessions and what chargers report of them."""
