"""Stand-ins for outside services that speak their protocol over real HTTP."""
