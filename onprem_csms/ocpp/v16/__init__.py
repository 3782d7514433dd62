"""OCPP 1.6: what chargers say and what they are asked."""
