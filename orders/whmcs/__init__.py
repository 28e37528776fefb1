"""Services of WHMCS that are orders here: placed by its module, and their state pushed back to it."""
