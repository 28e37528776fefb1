"""The catalogues of translations: what is translated, what is missing, and how they are compiled."""
