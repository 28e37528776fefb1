"""Where pages load the icons of products from."""
