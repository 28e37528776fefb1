"""People who sign in: invitations, teams, two-factor authentication, support views."""
