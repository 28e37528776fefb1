"""What staff can do with one invoice: each action says what will happen, and is confirmed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.admin.invoice_forms import CreditForm, PaymentForm, RefundForm, ReminderForm
from billing.documents.services import send_invoice_again
from billing.dunning.services import remind_now
from billing.invoicing.services import credit_invoice
from billing.models import Invoice
from billing.payments.services import credit_balance, refund, register_payment
from core.admin.confirmed_actions import ConfirmedAction, ReasonForm, change_one
from core.money import Money
from customers.choices import MailKind
from customers.models import Customer
from customers.notifications.services import recipients_of

SEND = ConfirmedAction(
    title=_("Send again"),
    says=_("Another mail with the PDF attached goes to these addresses."),
    done=_("%(row)s is being sent again."),
    verb=lambda invoice, actor, why: send_invoice_again(invoice=invoice),
    asks_reason=False,
)
CREDIT = ConfirmedAction(
    title=_("Credit invoice"),
    says=_(
        "A credit note over these amounts (excluding VAT) is issued and mailed. Empty amounts are not credited. "
        "This cannot be undone."
    ),
    done=_("A credit note for %(row)s has been issued."),
    verb=lambda invoice, actor, why, amounts: credit_invoice(invoice=invoice, reason=why, amounts=amounts),
    needs_reason=True,
    is_destructive=True,
)
REGISTER_PAYMENT = ConfirmedAction(
    title=_("Register payment"),
    says=_("The payment settles this invoice first, then the customer's oldest. What is left is a credit balance."),
    done=_("The payment of %(row)s has been registered."),
    verb=lambda invoice, actor, why, **answers: register_payment(
        customer=invoice.customer, currency=invoice.currency, invoices=[invoice], **answers
    ),
    asks_reason=False,
)
REMIND = ConfirmedAction(
    title=_("Send reminder"),
    says=_("The customer gets this reminder today, whatever the due date; each reminder is sent once."),
    done=_("The reminder of %(row)s is being sent."),
    verb=lambda invoice, actor, why, step: remind_now(invoice=invoice, step=step),
    asks_reason=False,
)


def confirm_refund(model_admin: Any, request: HttpRequest, row: Any, customer: Customer, currency: str) -> HttpResponse:
    """Asks how much of the customer's credit balance was paid back, and records it."""
    action = ConfirmedAction(
        title=_("Refund"),
        says=_("Record money that was paid back to the customer; the transfer itself is made at your bank."),
        done=_("The refund to %(row)s has been recorded."),
        verb=lambda row, actor, why, **answers: refund(customer=customer, currency=currency, **answers),
        asks_reason=False,
    )
    left = Money(credit_balance(customer, currency), currency)
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return change_one(
        model_admin,
        request,
        row,
        action,
        RefundForm(request, action, left),
        name=customer.name,
        back=reverse(name, args=(row.pk,)),
        rows=[gettext("%(customer)s has a credit balance of %(amount)s.") % {"customer": customer, "amount": left}],
    )


def confirm_invoice_action(
    model_admin: Any, request: HttpRequest, object_id: str, action: ConfirmedAction
) -> HttpResponse:
    """Says what will happen to the invoice; once confirmed, calls the service and goes back to it."""
    invoice: Invoice | None = model_admin.get_object(request, object_id)
    if invoice is None:
        raise Http404
    back = reverse("admin:billing_invoice_change", args=(invoice.pk,))
    if action not in possible_actions(invoice):
        messages.error(request, gettext("Not possible: the invoice is “%(state)s”.") % {"state": state_of(invoice)})
        return redirect(back)
    return change_one(
        model_admin,
        request,
        invoice,
        action,
        _form(request, action, invoice),
        name=invoice.number,
        back=back,
        rows=_rows(action, invoice),
    )


def possible_actions(invoice: Invoice) -> list[ConfirmedAction]:
    """Those that the state of the invoice allows."""
    found = [SEND]
    if not invoice.is_credit_note and invoice.state != Invoice.State.CREDITED:
        found.append(CREDIT)
    if not (invoice.is_credit_note or invoice.is_specimen) and invoice.state == Invoice.State.OPEN:
        found += [REGISTER_PAYMENT, REMIND]
    return found


def state_of(invoice: Invoice) -> str:
    """In a word."""
    return gettext("Specimen") if invoice.is_specimen else str(invoice.get_state_display())


def _form(request: HttpRequest, action: ConfirmedAction, invoice: Invoice) -> ReasonForm:
    if action is CREDIT:
        return CreditForm(request, action, invoice)
    if action is REGISTER_PAYMENT:
        return PaymentForm(request, action, invoice)
    if action is REMIND:
        return ReminderForm(request, action)
    return ReasonForm(request, action, "")


def _rows(action: ConfirmedAction, invoice: Invoice) -> list[str]:
    if action is SEND:
        return recipients_of(invoice.customer, MailKind.INVOICE)
    outstanding = Money(invoice.outstanding, invoice.currency)
    return [
        gettext("%(number)s · %(customer)s · total %(total)s · outstanding %(outstanding)s")
        % {
            "number": invoice.number,
            "customer": invoice.customer,
            "total": invoice.total,
            "outstanding": outstanding,
        }
    ]
