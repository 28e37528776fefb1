"""What may be asked of reports from other rooms."""

from __future__ import annotations

from billing.reports.owed import OwedByAge, owed_by_age

__all__ = ["OwedByAge", "owed_by_age"]
