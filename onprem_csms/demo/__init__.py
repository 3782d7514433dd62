"""The demo: a site with people, cards and a month of history, and chargers that only pretend."""
