"""Docker Compose: the launch plan, the job that carries it out, and its progress."""
