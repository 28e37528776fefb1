"""WHMCS: its API, the sync of its clients, and the provisioning module that is installed there."""
