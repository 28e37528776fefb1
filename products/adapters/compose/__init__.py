"""Docker Compose as the judge of compose files."""
