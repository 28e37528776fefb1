"""Changes of a running order: another release, plan, settings or secrets, and the way back."""
