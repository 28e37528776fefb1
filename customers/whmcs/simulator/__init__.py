"""A WHMCS to try things against, over real HTTP. Built from the documentation; no WHMCS was at hand to compare with."""
