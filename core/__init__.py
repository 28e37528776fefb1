"""The ground under every room: the engine, outside calls, money, errors, and kits for admin and API. Imports no room."""
