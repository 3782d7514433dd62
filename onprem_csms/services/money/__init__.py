"""Money: the ledger, wallets and holds, tariffs."""
