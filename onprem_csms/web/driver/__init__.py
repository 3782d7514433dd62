"""The drivers' site: pages for a phone, in the site's local network."""
