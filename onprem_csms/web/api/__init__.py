"""The HTTP API: JSON over the same services as the pages, for other programs."""
