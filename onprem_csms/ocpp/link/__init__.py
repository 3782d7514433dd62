"""The connections that are open, and the calls over them in both directions."""
