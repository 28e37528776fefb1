"""Invitations: people become members of a customer by a link that is mailed to them."""
