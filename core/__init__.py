"""The ground under every room: engine, outside calls, money, errors, kits for admin and API. Imports no room."""
