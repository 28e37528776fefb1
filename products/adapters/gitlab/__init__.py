"""The config-repo on GitLab."""
