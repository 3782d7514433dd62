"""What every use case stands on: the context, the actor, the audit, throttling, and the ports to the doors."""
