"""Support views: staff see the portal as a member of a customer sees it."""
