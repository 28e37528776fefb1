"""What the site and its workers say about themselves: logs and metrics."""
