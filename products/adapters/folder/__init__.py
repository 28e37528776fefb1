"""A config-repo that is a folder of this machine."""
