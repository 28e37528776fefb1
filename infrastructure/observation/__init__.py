"""What engines and providers show, read every minute and stored."""
