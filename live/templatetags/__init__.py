"""Words that templates use."""

from __future__ import annotations
