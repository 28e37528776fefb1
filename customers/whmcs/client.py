"""The API of WHMCS: one call at a time over `includes/api.php`, with every failure in our terms. Knows no Django.

Built from the documentation (https://developers.whmcs.com/api/getting-started/). It leaves open which HTTP status a
failure has, so the text of `message` decides where the status does not.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import requests

from core.call_times.counting import OutsideSystem, timed_call
from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from core.outside.connection_errors import connection_failure
from core.text.plain_text import read_json
from customers.whmcs.client_record import ClientDetails, ClientSummary
from customers.whmcs.parsing import read_id, read_list, read_text, redact, unflatten
from customers.whmcs.php_values import PhpValue, encode_fields

logger = logging.getLogger(__name__)

TIMEOUT = (5.0, 30.0)
LARGEST_ANSWER = 32 * 1024 * 1024
NOT_ALLOWED = (
    *("authentication failed", "invalid ip", "access denied", "invalid permissions", "permission denied"),
    *("invalid or missing credentials", "api role", "not permitted", "not allowed to"),
)
NOT_FOUND = ("not found", "no results", "does not exist")
BUSY = ("maintenance", "try again", "temporarily", "deadlock", "lock wait", "too many")


class WhmcsRefused(PermanentError):
    """WHMCS answered `result=error`: the call was understood and not carried out."""


class NotInWhmcs(WhmcsRefused):
    """There is no row with that id in WHMCS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPage:
    """One page of the list of clients."""

    clients: Sequence[ClientSummary]
    start: int
    returned: int
    total: int

    @property
    def next_start(self) -> int | None:
        """Where the next page begins; None behind the last."""
        after = self.start + self.returned
        return after if self.returned and after < self.total else None


@dataclass(slots=True, kw_only=True)
class WhmcsClient:
    """Calls one WHMCS with an API credential. Raises TransientError, ConfigError, WhmcsRefused or NotInWhmcs only."""

    url: str
    identifier: str = field(repr=False)
    secret: str = field(repr=False)
    access_key: str = field(default="", repr=False)
    timeout: tuple[float, float] = TIMEOUT
    calls: int = field(default=0, init=False)
    _session: requests.Session = field(default_factory=requests.Session, init=False, repr=False)

    def close(self) -> None:
        """The connections are closed."""
        self._session.close()

    @property
    def endpoint(self) -> str:
        """The address of the API, whether or not WHMCS_URL names it."""
        base = self.url.rstrip("/")
        return base if base.endswith(".php") else f"{base}/includes/api.php"

    @timed_call(OutsideSystem.WHMCS, answers=(NotInWhmcs,))
    def call(self, action: str, **parameters: object) -> dict[str, Any]:
        """The answer to one action, which was carried out."""
        form = {name: _as_form(value) for name, value in parameters.items() if value is not None}
        credentials = {"identifier": self.identifier, "secret": self.secret, "responsetype": "json"}
        if self.access_key:
            credentials["accesskey"] = self.access_key
        self.calls += 1
        try:
            with self._session.post(
                self.endpoint,
                data={**form, **credentials, "action": action},
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = _read_answer(response)
        except (requests.RequestException, OSError) as error:
            raise TransientError(connection_failure("WHMCS", error)) from error
        logger.debug("WHMCS %s %s: %s", action, redact(form), redact(answer))
        if read_text(answer.get("result")).lower() != "success":
            raise _refusal(action, read_text(answer.get("message")) or "no message")
        return answer

    # --- Reading

    def version(self) -> str:
        """The version of WHMCS, such as 8.13.1."""
        details = self.call("WhmcsDetails").get("whmcs")
        return read_text(details.get("version")) if isinstance(details, Mapping) else ""

    def clients(self, *, start: int = 0, limit: int = 100, search: str | None = None) -> ClientPage:
        """A page of clients, in the sequence of their ids."""
        answer = self.call("GetClients", limitstart=start, limitnum=limit, sorting="ASC", orderby="id", search=search)
        items = read_list(answer, "clients", "client")
        found = [summary for item in items if (summary := ClientSummary.read(item)) is not None]
        total = read_id(answer.get("totalresults")) or 0
        return ClientPage(clients=found, start=start, returned=len(items), total=total)

    def client_details(self, client_id: int) -> ClientDetails:
        """Everything WHMCS keeps about a client; raises NotInWhmcs."""
        answer = self.call("GetClientsDetails", clientid=client_id, stats=False)
        inner = answer.get("client")
        details = ClientDetails.read(inner if isinstance(inner, Mapping) else answer, expected_id=client_id)
        if details is None:
            raise TransientError(f"WHMCS answered the details of client {client_id} without its id")
        return details

    def contacts(self, client_id: int) -> list[dict[str, Any]]:
        """The further people of a client, without passwords."""
        answer = self.call("GetContacts", userid=client_id, limitstart=0, limitnum=500)
        return [redact(item) for item in read_list(answer, "contacts", "contact")]

    def products(self, *, module: str | None = None) -> list[dict[str, Any]]:
        """The products that WHMCS sells."""
        return read_list(self.call("GetProducts", module=module), "products", "product")

    def orders(self, *, client_id: int | None = None, status: str | None = None) -> Iterator[dict[str, Any]]:
        """The orders, page by page."""
        return self._pages("GetOrders", "orders", "order", userid=client_id, status=status)

    def services(self, *, client_id: int | None = None, service_id: int | None = None) -> Iterator[dict[str, Any]]:
        """The products of clients, page by page, without passwords."""
        found = self._pages("GetClientsProducts", "products", "product", clientid=client_id, serviceid=service_id)
        return (redact(item) for item in found)

    def invoice(self, invoice_id: int) -> dict[str, Any]:
        """An invoice with its lines; raises NotInWhmcs."""
        return self.call("GetInvoice", invoiceid=invoice_id)

    def invoices(self, *, client_id: int | None = None, status: str | None = None) -> Iterator[dict[str, Any]]:
        """The invoices, page by page."""
        return self._pages("GetInvoices", "invoices", "invoice", userid=client_id, status=status)

    # --- Writing. WHMCS knows no idempotency key: callers look for their own reference before they create.

    def add_order(
        self,
        *,
        client_id: int,
        product_id: int,
        payment_method: str,
        billing_cycle: str = "monthly",
        domain: str = "",
        custom_fields: Mapping[str | int, PhpValue] | None = None,
    ) -> tuple[int, list[int]]:
        """The id of a new order, and those of its services; AcceptOrder has to follow."""
        form: dict[str, object] = {
            "clientid": client_id,
            "paymentmethod": payment_method,
            "pid[0]": product_id,
            "billingcycle[0]": billing_cycle,
            "domain[0]": domain,
        }
        if custom_fields:
            form["customfields[0]"] = encode_fields(custom_fields)
        answer = self.call("AddOrder", **form)
        order_id = read_id(answer.get("orderid"))
        if order_id is None:
            raise TransientError("WHMCS accepted an order and did not answer its id")
        parts = read_text(answer.get("serviceids")).split(",")
        return order_id, [service for part in parts if (service := read_id(part)) is not None]

    def accept_order(self, order_id: int, *, auto_setup: bool = False, send_email: bool = False) -> None:
        """The order is accepted; WHMCS sets it up where asked."""
        self.call("AcceptOrder", orderid=order_id, autosetup=auto_setup, sendemail=send_email)

    def update_service(
        self, service_id: int, *, custom_fields: Mapping[str | int, PhpValue] | None = None, **fields: object
    ) -> None:
        """The service has these fields (status, domain, dedicatedip, notes …); raises NotInWhmcs."""
        if custom_fields:
            fields["customfields"] = encode_fields(custom_fields)
        self.call("UpdateClientProduct", serviceid=service_id, **fields)

    def create_invoice(
        self, *, client_id: int, lines: Sequence[tuple[str, Decimal, bool]], due_on: date | None = None, notes: str = ""
    ) -> int:
        """The id of a new invoice; `lines` are (description, amount, taxed)."""
        form: dict[str, object] = {"userid": client_id, "status": "Unpaid", "notes": notes or None, "duedate": due_on}
        for number, (description, amount, is_taxed) in enumerate(lines, start=1):
            form[f"itemdescription{number}"] = description
            form[f"itemamount{number}"] = amount
            form[f"itemtaxed{number}"] = is_taxed
        invoice_id = read_id(self.call("CreateInvoice", **form).get("invoiceid"))
        if invoice_id is None:
            raise TransientError("WHMCS created an invoice and did not answer its id")
        return invoice_id

    def add_payment(
        self, *, invoice_id: int, transaction_id: str, gateway: str, paid_at: datetime, amount: Decimal | None = None
    ) -> None:
        """The invoice has this payment; without an amount it is paid in full."""
        self.call(
            "AddInvoicePayment",
            invoiceid=invoice_id,
            transid=transaction_id,
            gateway=gateway,
            date=paid_at.strftime("%Y-%m-%d %H:%M:%S"),
            amount=amount,
        )

    def _pages(self, action: str, outer: str, inner: str, **filters: object) -> Iterator[dict[str, Any]]:
        start = 0
        while True:
            answer = self.call(action, limitstart=start, limitnum=100, **filters)
            items = read_list(answer, outer, inner)
            yield from items
            start += len(items)
            if not items or start >= (read_id(answer.get("totalresults")) or 0):
                return


def _as_form(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _read_answer(response: requests.Response) -> dict[str, Any]:
    """The JSON object of the answer; raises what its status and shape mean."""
    body = bytearray()
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise PermanentError("WHMCS answered more than 32 MB; lower the page size")
    try:
        answer = read_json(body)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and "result" in answer and response.status_code < 500:
        return unflatten(answer)
    raise _of_the_status(response)


def _of_the_status(response: requests.Response) -> OutsideError:
    status = response.status_code
    if status == 429 or status >= 500:
        after = response.headers.get("Retry-After", "")
        wait = timedelta(seconds=int(after)) if after.isdigit() else None
        return TransientError(f"WHMCS answered with HTTP status {status}", retry_in=wait)
    if status in (401, 403):
        return ConfigError(f"WHMCS refuses us with HTTP status {status}: is the IP address of this machine allowed?")
    if 300 <= status < 400:
        return ConfigError("WHMCS redirects elsewhere: is WHMCS_URL the address of WHMCS itself?")
    if status == 404:
        return ConfigError("There is no API at WHMCS_URL (HTTP status 404)")
    if status >= 400:
        return PermanentError(f"WHMCS answered with HTTP status {status}")
    return TransientError(
        "WHMCS answered with a page instead of JSON: it is in maintenance mode, or WHMCS_URL is wrong"
    )


def _refusal(action: str, message: str) -> OutsideError:
    """What `result=error` means, by its text: the documentation names no codes."""
    small, text = message.lower(), f"WHMCS refused {action}: {message[:300]}"
    if any(phrase in small for phrase in NOT_ALLOWED):
        return ConfigError(text)
    if any(phrase in small for phrase in BUSY):
        return TransientError(text)
    if any(phrase in small for phrase in NOT_FOUND):
        return NotInWhmcs(text)
    return WhmcsRefused(text)
