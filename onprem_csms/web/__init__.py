"""The operators' site, the drivers' pages, the API."""
