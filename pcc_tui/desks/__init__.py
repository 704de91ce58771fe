"""What a screen asks of the floors below: each desk answers for one system, off the event loop."""
