"""The demonstration: a whole company on one machine, and one order through its whole life."""

from __future__ import annotations
