"""Orders through their whole life on PostgreSQL, while everything around them is killed, cut off or made slow."""
