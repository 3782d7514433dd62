"""A self-hosted charging station management system: one process, one encrypted file, no cloud."""

__version__ = "0.1.0"
