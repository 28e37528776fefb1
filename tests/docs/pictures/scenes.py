"""What the pictures show that the demonstration does not have by itself."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from django.conf import settings

from billing.models import Invoice, Subscription
from core import clock
from customers.invitations.services import invite_member
from customers.models import Customer, User, Webhook
from customers.services import issue_token
from customers.webhooks.services import create_webhook, send_test
from infrastructure.drift.services import request_drift_scan
from infrastructure.models import DriftFinding
from infrastructure.sandbox.models import SandboxNode
from live.demo.cast import CUSTOMER_EMAIL
from orders.models import Order
from products.services import import_catalogue
from tests.billing.payments.statement_files import camt, entry

TILES = """
  tiles:
    <<: *service
    build:
      context: .
      dockerfile: gateway/Dockerfile
      args:
        DATA_DIR: /srv/gateway
    volumes:
      - tiles:/srv/tiles
    expose:
      - "8081"
    healthcheck:
      test: ["CMD", "curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8081/healthz"]
      interval: 3s
      timeout: 5s
      retries: 20

volumes:
  tiles:
"""


def release_next(folder: Path) -> None:
    """The sample product has a release with a tile cache, more memory for its database, and another price."""
    copy = folder / "catalogue"
    shutil.copytree(settings.BASE_DIR / "catalogue", copy)
    product = copy / "products" / "sdi-lite"
    replace(
        product / "compose.yaml",
        ("shm_size: 128m", "shm_size: 256m"),
        ("      LIVE_RELEASE: ${LIVE_RELEASE}\n", '      LIVE_RELEASE: ${LIVE_RELEASE}\n      CACHE_SECONDS: "600"\n'),
        ("\nvolumes:\n", TILES),
    )
    replace(product / "product.yaml", ('price: "49.00"', 'price: "59.00"'))
    settings.CATALOGUE_URL = str(copy)
    import_catalogue()


def replace(path: Path, *replacements: tuple[str, str]) -> None:
    """Each text is in the file and is replaced."""
    text = path.read_text()
    for old, new in replacements:
        assert old in text, f"{path} does not have {old!r}"
        text = text.replace(old, new, 1)
    path.write_text(text)


def invite(customer: Customer, actor: User) -> None:
    """Somebody has not answered an invitation yet."""
    invite_member(customer=customer, email="kees@waterschap.example", role="billing", actor=actor)


def issue_tokens(member: User, customer: Customer) -> None:
    """Two programs call the API for the member."""
    issue_token(user=member, name="Asset register", scopes=["orders:read", "incidents:read"], customer=customer)
    issue_token(user=member, name="Invoice import", scopes=["invoices:read"], networks=["203.0.113.0/24"])


def lose_server(order: Order) -> None:
    """Its server was destroyed at the provider, behind our back; the next scan finds that."""
    SandboxNode.objects.filter(name=order.key).delete()
    request_drift_scan()
    end = time.monotonic() + 60
    while not DriftFinding.objects.exists() and time.monotonic() < end:
        time.sleep(1)


def make_due(order: Order) -> None:
    """The next billing run has a period to invoice."""
    subscriptions = Subscription.objects.filter(order=order)
    subscriptions.update(state=Subscription.State.ACTIVE, ended_on=None, next_invoice_on=clock.today())


def webhook_of(customer: Customer) -> Webhook:
    """A receiver of events that does not answer, with two messages."""
    actor = User.objects.get(email=CUSTOMER_EMAIL)
    events = ("order.active", "order.degraded", "invoice.issued")
    webhook = create_webhook(
        name="Asset register", url="https://register.example/hook", customer=customer, events=events, actor=actor
    )
    send_test(webhook=webhook)
    return webhook


def statement(folder: Path, invoice: Invoice) -> Path:
    """A bank's file: a payment that names an invoice, part of another payment, and one without a reference."""
    path = folder / "statement.xml"
    path.write_bytes(
        camt(
            entry(str(invoice.total.amount), f"Invoice {invoice.number}"),
            entry("10.00", f"Part of {invoice.number}"),
            entry("250.00", "Deposit without a reference"),
        )
    )
    return path
