"""Docker Compose: what is launched, as which job, and how far it has come."""
