"""OCPP 2: what both sides may say from version 2.0.1 on; a later version is this table and what differs."""
