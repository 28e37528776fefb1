"""The roof: settings, addresses, portal, API root, staff dashboard and commands. Imported by no room."""
