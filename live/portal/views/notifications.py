"""What a member was notified of, and what he or she wants to be notified of."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from customers.choices import MailKind
from customers.models import User
from customers.notifications.services import choose_kinds, kinds_for, kinds_on, mark_read, notifications_of, texts_of
from live.portal.access import viewer

PER_PAGE = 25
GROUPS = (
    (
        gettext_lazy("Orders"),
        (
            *(MailKind.NEEDS_YOU, MailKind.PLACED, MailKind.APPROVED, MailKind.STARTED, MailKind.ACTIVE),
            *(MailKind.SUSPENDED, MailKind.RESUMED, MailKind.CHANGED, MailKind.REMOVAL),
        ),
    ),
    (gettext_lazy("Services"), (MailKind.INCIDENT, MailKind.MAINTENANCE, MailKind.REPORT)),
    (gettext_lazy("Money"), (MailKind.INVOICE, MailKind.REMINDER, MailKind.PRICE)),
)


class KindsForm(forms.Form):
    """One switch for each kind that the person can choose."""

    def __init__(self, *args: object, user: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        is_on = kinds_on(user)
        self.possible = kinds_for(user)
        for kind in self.possible:
            self.fields[kind.value] = forms.BooleanField(label=kind.label, required=False, initial=kind in is_on)

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The switches under their headings."""
        found = [(str(name), [self[kind.value] for kind in kinds if kind in self.possible]) for name, kinds in GROUPS]
        return [(name, fields) for name, fields in found if fields]

    @property
    def chosen(self) -> set[MailKind]:
        """The kinds that are switched on."""
        return {kind for kind in self.possible if self.cleaned_data[kind.value]}


@login_required
@require_safe
def notification_list(request: HttpRequest) -> HttpResponse:
    """The mail about the viewer's customers, newest first; what is new since the last visit is marked."""
    user = viewer(request)
    read_at = user.notifications_read_at
    rows = notifications_of(user).defer("text", "html", "context").select_related("customer")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    entries = [(row, read_at is None or row.created_at > read_at) for row in page]
    mark_read(user)
    return render(request, "portal/notification_list.html", {"page": page, "entries": entries})


@login_required
@require_safe
def notification(request: HttpRequest, pk: int) -> HttpResponse:
    """One notification as it was sent, or as it will be."""
    row = get_object_or_404(notifications_of(viewer(request)).select_related("customer"), pk=pk)
    return render(
        request, "portal/notification.html", {"row": row, "mail": texts_of(row), "bounces": row.bounces.all()}
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def notification_settings(request: HttpRequest) -> HttpResponse:
    """One switch for each kind of mail."""
    user = viewer(request)
    form = KindsForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        choose_kinds(user=user, kinds=form.chosen)
        messages.success(request, _("Saved."))
        return redirect("portal:notification_settings")
    return render(request, "portal/notification_settings.html", {"form": form, "address": user.email})
