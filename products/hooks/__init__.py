"""Where GitLab calls."""
