"""How long calls to other systems take, and how they end."""
