"""How days and times are written and read, by language, where Django's own way does not do."""
