"""The documented actions of the API, carried out on the records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from customers.whmcs.parsing import read_id
from customers.whmcs.php_values import NotSerialized, decode_fields
from customers.whmcs.simulator.records import Records, Row

Form = Mapping[str, str]


class Refused(Exception):
    """The answer is `result=error` with this message."""


LISTED = ("id", "firstname", "lastname", "companyname", "email", "datecreated", "groupid", "status")
SERVICE_FIELDS = (
    *("pid", "nextduedate", "domain", "status", "recurringamount", "notes", "dedicatedip", "assignedips"),
    *("serviceusername", "suspendreason", "terminationdate"),
)


def perform(records: Records, action: str, form: Form) -> dict[str, Any]:
    """What the action answers; raises Refused."""
    act = ACTIONS.get(action)
    if act is None:
        raise Refused(f'Command "{action}" Not Found')
    return {"result": "success", **act(records, form)}


def _clients(records: Records, form: Form) -> dict[str, Any]:
    prefix = form.get("search", "").lower()
    rows = [
        row
        for row in records.clients.values()
        if not prefix or any(str(row[key]).lower().startswith(prefix) for key in ("firstname", "companyname", "email"))
    ]
    rows.sort(key=lambda row: int(row["id"]))
    return _listed(form, "clients", "client", [{key: row[key] for key in LISTED} for row in rows])


def _client_details(records: Records, form: Form) -> dict[str, Any]:
    row = records.clients.get(read_id(form.get("clientid")) or 0)
    if row is None:
        raise Refused("Client Not Found")
    details = {**row, "client_id": row["id"], "userid": row["id"], "customfields": [{"id": 1, "value": ""}]}
    return {"client": details, **details}


def _contacts(records: Records, form: Form) -> dict[str, Any]:
    rows = [row for row in records.contacts if str(row.get("userid")) == form.get("userid")]
    return _listed(form, "contacts", "contact", rows)


def _products(records: Records, form: Form) -> dict[str, Any]:
    pricing = {"EUR": {"prefix": "€", "msetupfee": "0.00", "monthly": "49.00", "annually": "-1.00"}}
    row = {"pid": 1, "gid": 1, "type": "other", "name": "SDI", "module": "geocatlive", "pricing": pricing}
    rows = [row] if form.get("module") in (None, "", "geocatlive") else []
    return {"totalresults": len(rows), "products": {"product": rows}}


def _services(records: Records, form: Form) -> dict[str, Any]:
    wanted = {"clientid": form.get("clientid"), "id": form.get("serviceid"), "pid": form.get("pid")}
    rows = [
        row
        for row in records.services.values()
        if all(not value or str(row[key]) == value for key, value in wanted.items())
    ]
    return _listed(form, "products", "product", rows)


def _orders(records: Records, form: Form) -> dict[str, Any]:
    wanted = {"userid": form.get("userid"), "status": form.get("status")}
    rows = [
        row
        for row in records.orders.values()
        if all(not value or str(row[key]) == value for key, value in wanted.items())
    ]
    return _listed(form, "orders", "order", rows)


def _add_order(records: Records, form: Form) -> dict[str, Any]:
    client_id = read_id(form.get("clientid")) or 0
    if client_id not in records.clients:
        raise Refused("Client ID Not Found")
    if not form.get("paymentmethod"):
        raise Refused("Invalid Payment Method")
    order_id = max(records.orders, default=0) + 1
    fields = _custom_fields(form.get("customfields[0]", ""))
    service_id = records.add_service(
        client_id,
        orderid=order_id,
        pid=form.get("pid[0]", "1"),
        domain=form.get("domain[0]", ""),
        customfields={"customfield": [{"id": key, "value": value} for key, value in fields.items()]},
    )
    records.orders[order_id] = {
        "id": order_id,
        "userid": client_id,
        "status": "Pending",
        "amount": "49.00",
        "lineitems": {"lineitem": [{"type": "product", "relid": service_id}]},
    }
    return {"orderid": str(order_id), "serviceids": str(service_id), "addonids": "", "domainids": "", "invoiceid": "0"}


def _accept_order(records: Records, form: Form) -> dict[str, Any]:
    row = records.orders.get(read_id(form.get("orderid")) or 0)
    if row is None or row["status"] != "Pending":
        raise Refused("Order ID not found or Status not Pending")
    row["status"] = "Active"
    return {}


def _update_service(records: Records, form: Form) -> dict[str, Any]:
    row = records.services.get(read_id(form.get("serviceid")) or 0)
    if row is None:
        raise Refused("Service ID Not Found")
    row.update({key: form[key] for key in SERVICE_FIELDS if key in form})
    if form.get("customfields"):
        row["customfields"] = _custom_fields(form["customfields"])
    return {"serviceid": str(row["id"])}


def _create_invoice(records: Records, form: Form) -> dict[str, Any]:
    if (client_id := read_id(form.get("userid")) or 0) not in records.clients:
        raise Refused("Client ID Not Found")
    invoice_id = max(records.invoices, default=0) + 1
    items = [
        {"description": form[f"itemdescription{n}"], "amount": form.get(f"itemamount{n}", "0.00")}
        for n in range(1, 100)
        if f"itemdescription{n}" in form
    ]
    records.invoices[invoice_id] = {
        "invoiceid": invoice_id,
        "userid": client_id,
        "status": form.get("status", "Draft"),
        "notes": form.get("notes", ""),
        "duedate": form.get("duedate", ""),
        "datepaid": "0000-00-00 00:00:00",
        "items": {"item": items},
        "transactions": "",
    }
    return {"invoiceid": str(invoice_id), "status": form.get("status", "Draft")}


def _invoice(records: Records, form: Form) -> dict[str, Any]:
    row = records.invoices.get(read_id(form.get("invoiceid")) or 0)
    if row is None:
        raise Refused("Invoice ID Not Found")
    return dict(row)


def _invoices(records: Records, form: Form) -> dict[str, Any]:
    wanted = {"userid": form.get("userid"), "status": form.get("status")}
    rows = [
        row
        for row in records.invoices.values()
        if all(not value or str(row[key]) == value for key, value in wanted.items())
    ]
    return _listed(form, "invoices", "invoice", rows)


def _add_payment(records: Records, form: Form) -> dict[str, Any]:
    row = records.invoices.get(read_id(form.get("invoiceid")) or 0)
    if row is None:
        raise Refused("Invoice ID Not Found")
    records.payments.append(dict(form))
    row["status"] = "Paid"
    return {}


def _details(records: Records, form: Form) -> dict[str, Any]:
    return {"whmcs": {"version": "8.13.0-simulated", "canonicalversion": "8.13.0-release.1"}}


def _listed(form: Form, outer: str, inner: str, rows: list[Row]) -> dict[str, Any]:
    start, limit = int(form.get("limitstart", 0)), int(form.get("limitnum", 25))
    page = rows[start : start + limit]
    return {"totalresults": len(rows), "startnumber": start, "numreturned": len(page), outer: {inner: page}}


def _custom_fields(text: str) -> dict[Any, Any]:
    if not text:
        return {}
    try:
        return dict(decode_fields(text))
    except NotSerialized as error:
        raise Refused("Invalid custom fields") from error


ACTIONS: dict[str, Callable[[Records, Form], dict[str, Any]]] = {
    "GetClients": _clients,
    "GetClientsDetails": _client_details,
    "GetContacts": _contacts,
    "GetProducts": _products,
    "GetClientsProducts": _services,
    "GetOrders": _orders,
    "AddOrder": _add_order,
    "AcceptOrder": _accept_order,
    "UpdateClientProduct": _update_service,
    "CreateInvoice": _create_invoice,
    "GetInvoice": _invoice,
    "GetInvoices": _invoices,
    "AddInvoicePayment": _add_payment,
    "WhmcsDetails": _details,
}
