"""The card readers: bytes on a serial line become taps at a desk station."""
