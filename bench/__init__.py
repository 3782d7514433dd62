"""How much the product costs, measured against a server that does nothing: ``python -m bench``."""
