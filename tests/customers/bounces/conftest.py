"""Messages to an address that may not work."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core import clock
from customers.models import Customer, Message
from tests.factories import CustomerFactory

Write = Callable[..., Message]
GONE = "gone@example.org"


@pytest.fixture
def customer() -> Customer:
    customer: Customer = CustomerFactory(name="Waterschap Vallei", email=GONE)
    return customer


@pytest.fixture
def write(customer: Customer) -> Write:
    """A message that is due, to the address that may not work or to others."""

    def write(*to: str) -> Message:
        return Message.objects.create(
            key=f"order:GL{Message.objects.count()}:active",
            customer=customer,
            kind="active",
            to=list(to) or [GONE],
            subject="Ready",
            text="Your order is ready.",
            next_attempt_at=clock.now(),
        )

    return write
