"""Our rows compared with every provider: orphans, ghosts and drift, and what may be done about each."""
