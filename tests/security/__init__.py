"""What the threat model promises and no other folder's tests show."""
