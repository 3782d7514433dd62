"""The charger endpoint: OCPP over WebSocket, in and out."""
