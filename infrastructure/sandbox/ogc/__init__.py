"""A small map service: WMS and WFS over a map that ships with the sandbox."""
