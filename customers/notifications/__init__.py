"""Who is notified of what by e-mail: one switch for each kind of mail and person."""
