"""The staff's site: dashboard, sidebar, theme, and the pages of other packages."""
