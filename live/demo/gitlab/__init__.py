"""A double of GitLab for tests and the demo, built from its documentation: GitLab itself needs a server of its own."""
