"""Mail that comes back, and addresses to which no more mail is sent."""
