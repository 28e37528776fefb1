"""The settings that are known to be harmless; everything else in a composition is refused."""
