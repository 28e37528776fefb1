"""Makes the admin's fonts small: `python -m deploy.fonts.subset`."""
