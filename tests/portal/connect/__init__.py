"""Where customers connect."""
