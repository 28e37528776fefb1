"""What the portal shows and lets people do."""

from __future__ import annotations
