"""The use cases. A service function is one transaction: ``fn(tx, value) -> value``."""
