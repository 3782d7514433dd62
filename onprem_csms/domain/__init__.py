"""Pure rules of the field: money, tariffs, sessions, tokens, chargers. No input or output, no clock."""
