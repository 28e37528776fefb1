"""What is sold: products, releases and plans from the config-repo."""
