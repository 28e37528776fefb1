"""Makes a product folder of a compose file that was written for a single installation."""
