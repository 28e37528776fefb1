"""Who is about to see a password proves once more who he or she is."""
