"""The chargers' door: OCPP over WebSocket, in and out."""
