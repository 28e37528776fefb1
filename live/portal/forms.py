"""Forms of the portal; an order's own fields come from its release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from core import clock
from core.errors import Refusal
from customers.models import Customer, CustomerQuerySet, User
from customers.models.people import time_zone_choices
from live.portal.localisation import languages_on_offer
from orders.models import Order
from products.input_fields import InvalidInputs, customer_inputs, form_field
from products.models import Release

PREFIX = "input_"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOffer:
    """Orders can be rehearsed here; perhaps there is nowhere else for them to go."""

    is_all_there_is: bool


class ReleaseInputsForm(forms.Form):
    """The inputs that a release asks for; the rules are kept by `products.input_fields`."""

    def __init__(
        self,
        *args: Any,
        specs: Sequence[Mapping[str, Any]],
        inputs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.specs = specs
        for spec in specs:
            field = input_field(spec)
            if inputs is not None:
                field.initial = inputs.get(spec["key"], field.initial)
            self.fields[PREFIX + spec["key"]] = field

    @property
    def inputs(self) -> dict[str, Any]:
        """What was chosen, by input key."""
        entered = self.cleaned_data if self.is_bound else {}
        chosen = {spec["key"]: entered.get(PREFIX + spec["key"]) for spec in self.specs}
        return {key: "" if value is None else value for key, value in chosen.items()}

    def add_refusal(self, refusal: Refusal) -> None:
        """What a service refused is said at the field it is about."""
        if not self.is_bound:  # a form without fields
            self.is_bound = True
            self.full_clean()
        if isinstance(refusal, InvalidInputs):
            for key, message in refusal.errors.items():
                self.add_error(PREFIX + key if PREFIX + key in self.fields else None, message)
            return
        self.add_error(refusal.field if refusal.field in self.fields else None, refusal.message)


class OrderForm(ReleaseInputsForm):
    """The name of an order, for whom it is, and the inputs that its release asks for."""

    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("Any name you like, for example “Public map viewer”.")
    )

    def __init__(
        self,
        *args: Any,
        release: Release,
        customers: CustomerQuerySet | None = None,
        inputs: Mapping[str, Any] | None = None,
        sandbox: SandboxOffer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, specs=customer_inputs(release.localised("inputs")), inputs=inputs, **kwargs)
        if customers is not None and len(customers) > 1:
            choice = forms.ModelChoiceField(customers, label=_("For"), empty_label=None)
            self.fields = {"customer": choice, **self.fields}
        self._only = customers[0] if customers is not None and len(customers) == 1 else None
        if sandbox is not None:
            self.fields["sandbox"] = forms.BooleanField(
                label=_("Sandbox"),
                initial=sandbox.is_all_there_is,
                required=False,
                help_text=_("Place a sandbox order: no real servers, no charges."),
            )
        for name, checked in self.fields.items():  # each is checked as soon as it is filled in
            target = {"hx-post": "", "hx-trigger": "change", "hx-target": f"#errors-{name}", "hx-swap": "innerHTML"}
            checked.widget.attrs.update(target)

    @property
    def is_sandbox(self) -> bool:
        """Whether the order is to be rehearsed only."""
        return bool(self.cleaned_data.get("sandbox"))

    @property
    def customer(self) -> Customer:
        """In whose name it is ordered."""
        return self._only or self.cleaned_data["customer"]


class RemovalForm(forms.Form):
    """When an order ends and why; the typed reference shows that it is meant."""

    NOW, PERIOD, DAY = "now", "period", "day"

    when = forms.ChoiceField(label=_("When"), widget=forms.RadioSelect, required=False)
    day = forms.DateField(label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(
        label=_("Reason (optional)"),
        required=False,
        max_length=250,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It helps us to improve, and is shown on the timeline."),
    )
    confirm = forms.CharField(
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, order: Order, paid_until: date | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reference, self.paid_until = order.reference, paid_until
        choices: list[tuple[str, Any]] = [(self.NOW, _("Now"))]
        if paid_until is not None:
            label = _("When the paid period ends, on %(day)s") % {"day": date_format(paid_until, "j F Y")}
            choices.append((self.PERIOD, label))
        choices.append((self.DAY, _("On another day")))
        self.fields["when"] = forms.ChoiceField(
            label=_("When"), choices=choices, initial=self.NOW, required=False, widget=forms.RadioSelect
        )
        self.fields["day"].widget.attrs["min"] = (clock.today() + timedelta(days=1)).isoformat()
        text = _("Enter %(reference)s to confirm.") % {"reference": order.reference}
        self.fields["confirm"].label = text.rstrip(".")
        self.fields["confirm"].error_messages["required"] = text
        self.order_fields(("when", "day", "reason", "confirm"))

    def clean_confirm(self) -> str:
        """The order's reference, in any case."""
        typed = str(self.cleaned_data["confirm"]).strip().upper()
        if typed != self.reference:
            raise forms.ValidationError(self.fields["confirm"].error_messages["required"])
        return typed

    def clean(self) -> dict[str, Any]:
        """A day is there when a day was chosen."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("when") == self.DAY and not data.get("day") and "day" not in self.errors:
            self.add_error("day", _("Choose a day."))
        return data

    @property
    def removal_on(self) -> date | None:
        """The chosen day; None for now."""
        chosen = self.cleaned_data.get("when")
        if chosen == self.PERIOD:
            return self.paid_until
        return self.cleaned_data.get("day") if chosen == self.DAY else None

    def add_refusal(self, refusal: Refusal) -> None:
        """What the service refused is shown at the day."""
        self.add_error("day" if refusal.field == "removal_on" else None, refusal.message)


def input_field(spec: Mapping[str, Any]) -> forms.Field:
    """The form field of one input, its label saying whether it has to be filled in."""
    field = form_field(spec)
    has_default = spec.get("default") not in (None, "") or spec["type"] == "boolean"
    hint = "" if has_default else _("required") if spec.get("required") else _("optional")
    field.label = format_lazy("{} ({})", spec["label"], hint) if hint else spec["label"]
    return field


class ProfileForm(forms.ModelForm[User]):
    """What a person may change about him- or herself."""

    class Meta:
        model = User
        fields = ("first_name", "last_name", "time_zone", "language")
        labels = {"time_zone": _("Time zone"), "language": _("Language")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = forms.ChoiceField(
            label=_("Time zone"),
            required=False,
            choices=[("", _("Default")), *time_zone_choices()],
            help_text=_("Times are shown in this zone."),
        )
        languages = languages_on_offer()
        if len(languages) == 1:
            del self.fields["language"]
        else:
            self.fields["language"] = forms.ChoiceField(label=_("Language"), choices=languages, required=False)
