"""Tables that every capability writes to: the audit."""
