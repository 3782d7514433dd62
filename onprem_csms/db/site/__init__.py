"""Sums and lists over the whole site."""
