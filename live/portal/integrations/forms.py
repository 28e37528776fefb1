"""Forms for API tokens and webhooks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import clock
from customers.choices import selectable_events
from customers.models import ApiToken, Customer, User
from customers.services import TokenRefused, issue_token
from customers.tokens.choices import clean_networks, scope_choices

LIFETIMES = ((30, _("30 days")), (90, _("90 days")), (365, _("1 year")))


class TokenRequestForm(forms.Form):
    """A token for a program, that acts for whoever fills it in."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Which program uses it."))
    days = forms.TypedChoiceField(label=_("Valid for"), choices=LIFETIMES, coerce=int, initial=365)
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("What it may be used for; never more than you may do."),
    )
    customer = forms.ModelChoiceField(
        Customer.objects.none(), label=_("Limited to"), required=False, empty_label=_("Everything you can see")
    )
    networks = forms.CharField(
        label=_("Allowed networks"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One per line, such as 203.0.113.0/24. Empty: it may be used from anywhere."),
    )

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.fields["customer"].queryset = Customer.objects.visible_to(owner)  # type: ignore[attr-defined]
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (name, label) for name, label in scope_choices() if owner.is_staff or not name.startswith("whmcs")
        ]

    def clean_name(self) -> str:
        """The name, unless a token that works has it: a page that is reloaded makes no second one."""
        name = str(self.cleaned_data["name"])
        tokens = ApiToken.objects.filter(user=self.owner, name=name)
        if tokens.filter(Q(expiry=None) | Q(expiry__gt=clock.now())).exists():
            raise forms.ValidationError(_("You have a token of this name. Revoke it, or use another name."))
        return name

    def clean_networks(self) -> list[str]:
        """The networks, one per line."""
        try:
            return clean_networks(self.cleaned_data["networks"].splitlines())
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def issue(self) -> str | None:
        """The text of the new token; None when it was refused, which the form then says."""
        values = dict(self.cleaned_data)
        expires_at = clock.now() + timedelta(days=values.pop("days"))
        try:
            _row, text = issue_token(user=self.owner, expires_at=expires_at, **values)
        except TokenRefused as refused:
            self.add_error(refused.field if refused.field in self.fields else None, str(refused.message))
            return None
        return text


class WebhookRequestForm(forms.Form):
    """A webhook of one of the viewer's customers."""

    customer = forms.ModelChoiceField(Customer.objects.none(), label=_("For"), empty_label=None)
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Which of your systems receives it."))
    url = forms.CharField(label=_("URL"), max_length=500, help_text=_("Begins with https://"))
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=selectable_events,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None selected: every event."),
    )

    def __init__(self, *args: Any, customers: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if customers is None:
            del self.fields["customer"]
        else:
            self.fields["customer"].queryset = customers  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A new webhook has a name that its customer's others do not have, so a reloaded page makes no second one."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        customer, name = cleaned.get("customer"), cleaned.get("name")
        if customer and name and customer.webhooks.filter(name=name).exists():
            self.add_error("name", _("There is a webhook of this name. Use another name."))
        return cleaned
