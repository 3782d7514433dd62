"""The encrypted file itself: connections, the writer, readers, migrations, keys."""
