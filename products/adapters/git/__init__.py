"""A config-repo that git can reach."""
