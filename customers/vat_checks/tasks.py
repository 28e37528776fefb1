"""A worker asks VIES; the answer counts for the customer whose VAT id it still is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from core import clock
from core.engine.controller import Controller, register
from core.engine.outcome import Outcome, done
from customers.models import Customer, VatCheck
from customers.vat_checks import services


class VatCheckController(Controller[VatCheck]):
    """Brings VAT checks to a result."""

    name = "vat checks"
    model = VatCheck
    lease_time = timedelta(seconds=120)
    max_attempts = 5000  # a register that is closed for days decides nothing

    def act(self, row: VatCheck) -> Outcome:
        """VIES has said whether the VAT id is in use."""
        answer = services.get_vies().check(row.vat_id)
        result = VatCheck.Result.VALID if answer.is_valid else VatCheck.Result.INVALID
        return done(
            result=result.value,
            checked_at=clock.now(),
            consultation_number=answer.consultation_number[:40],
            name=answer.name[:300],
            address=answer.address,
        )

    def on_outcomes(self, outcomes: Sequence[tuple[VatCheck, Outcome]]) -> None:
        """The customer's VAT id counts as checked from a valid answer on, and no longer after another."""
        for row, outcome in outcomes:
            if "result" not in outcome.fields:
                continue
            is_valid = outcome.fields["result"] == VatCheck.Result.VALID
            checked_at = outcome.fields["checked_at"] if is_valid else None
            Customer.objects.filter(pk=row.customer_id, vat_id=row.vat_id).update(vat_id_checked_at=checked_at)


def request_due_checks() -> None:
    """VAT ids without a recent check are asked about; called by the clock."""
    services.request_due_checks()


register(VatCheckController())
