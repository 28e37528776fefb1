"""What may stand in the portal's addresses beside words and numbers."""

from __future__ import annotations

from datetime import date


class MonthConverter:
    """A month such as 2026-06, as its first day."""

    regex = r"[12]\d{3}-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> date:
        """Its first day."""
        return date(int(value[:4]), int(value[5:]), 1)

    def to_url(self, value: date) -> str:
        """As people sort it."""
        return f"{value:%Y-%m}"
