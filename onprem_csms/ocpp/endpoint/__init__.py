"""The opening of a connection: who it is, and whether it may come in."""
