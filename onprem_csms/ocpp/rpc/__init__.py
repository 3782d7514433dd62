"""Frames, turns and repair of OCPP-J, pure: bytes in, values out."""
