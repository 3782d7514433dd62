"""What every use case stands on: the context, the actor, the audit, throttling, the ports to chargers and readers."""
