"""Scenarios run before the endpoint of the chargers, with a site as its tests have it."""

from tests.ocpp.conftest import options, site

__all__ = ["options", "site"]
