"""Accounts, entries, wallets, holds, tariffs."""
