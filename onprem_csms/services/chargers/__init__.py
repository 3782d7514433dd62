"""The chargers of the site: admission, inventory, commands, desired configuration."""
