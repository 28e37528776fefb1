"""Who pays, who may sign in, and the mail to them."""
