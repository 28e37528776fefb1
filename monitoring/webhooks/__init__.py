"""What whoever watches pushes to us: never believed, only a reason to look at once."""
