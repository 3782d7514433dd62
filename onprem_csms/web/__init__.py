"""The web doors: the operators' site, the drivers' pages, the API."""
