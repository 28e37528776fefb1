"""What templates of admin and portal show of products."""
