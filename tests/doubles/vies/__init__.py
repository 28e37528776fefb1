"""A stand-in for the REST API of VIES, built from its documentation; never the register itself."""
