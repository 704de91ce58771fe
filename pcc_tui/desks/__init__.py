"""What a screen asks of the floors below: each desk answers for one subject, off the event loop."""
