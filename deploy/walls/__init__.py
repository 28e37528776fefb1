"""Rules about imports that import-linter does not bring along."""
