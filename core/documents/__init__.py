"""A document that is rendered once by a worker, kept with its digest, served unchanged, and mailed once."""
