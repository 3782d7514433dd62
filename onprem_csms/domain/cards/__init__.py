"""Card numbers."""
