"""The disk that data are written to: who may read it, and what happens when it is full."""
