"""The form of a provider, with the settings of its Libcloud driver; stored secrets are never shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from core.address_policy import address_guard
from core.errors import ConfigError
from infrastructure.adapters.libcloud.addresses import ADDRESSES, host_of
from infrastructure.adapters.libcloud.arguments import Argument
from infrastructure.adapters.libcloud.cloud import driver_names
from infrastructure.adapters.libcloud.offers import driver_arguments
from infrastructure.keys import settings_of
from infrastructure.models import PlanSize, Provider, ProviderOption

PREFIX = "setting_"


class ProviderForm(forms.ModelForm[Provider]):
    """A provider; the fields of its driver appear once the driver has been saved."""

    class Meta:
        model = Provider
        fields = "__all__"  # noqa: DJ007  (the admin names the fields)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "driver" in self.fields:
            names = [("", "–"), *((name, name) for name in driver_names())]
            widget = widgets.UnfoldAdminSelectWidget()
            self.fields["driver"] = forms.ChoiceField(
                choices=names,
                required=False,
                label=_("Libcloud driver"),
                widget=widget,
                help_text=_("The settings of the driver appear on this page after saving."),
            )
        for name in ("location", "image", "network"):
            if name in self.fields and self.instance.pk:
                self._offer(name)
        if "size_ids" in self.fields:
            self._offer_sizes()

    def clean(self) -> dict[str, Any]:
        """A cloud needs a driver."""
        cleaned = super().clean() or {}
        kind = cleaned.get("kind", self.instance.kind)
        if kind == Provider.Kind.LIBCLOUD and not cleaned.get("driver", self.instance.driver):
            self.add_error("driver" if "driver" in self.fields else None, _("A cloud needs a Libcloud driver."))
        self._check_addresses(cleaned)
        return cleaned

    def _check_addresses(self, cleaned: dict[str, Any]) -> None:
        """Names are judged by the worker that connects, as they mean another address at another time."""
        for name in ADDRESSES:
            text = str(cleaned.get(PREFIX + name) or "").strip()
            try:
                is_allowed = not text or address_guard().allows_host(host_of(text))
            except ConfigError:
                self.add_error(
                    PREFIX + name, gettext("Enter a web address, such as https://cloud.example.org:5000/v3.")
                )
            else:
                if not is_allowed:
                    message = gettext("This is an address in a private network (ALLOWED_PRIVATE_RANGES).")
                    self.add_error(PREFIX + name, message)

    def driver_settings(self) -> dict[str, object]:
        """The driver's settings, without secrets that were left empty: those keep their value."""
        settings = {}
        for name, value in self.cleaned_data.items():
            if name.startswith(PREFIX) and not (self.fields[name].widget.input_type == "password" and not value):
                settings[name.removeprefix(PREFIX)] = value
        return settings

    def _offer_sizes(self) -> None:
        """The allowed sizes are chosen among those on offer, with their capacity and price."""
        choices = size_choices(self.instance)
        withdrawn = [size_id for size_id in self.instance.size_ids if size_id not in dict(choices)]
        choices += [(size_id, _withdrawn_label(size_id)) for size_id in withdrawn]
        field = self.fields["size_ids"]
        self.fields["size_ids"] = forms.MultipleChoiceField(
            choices=choices,
            required=False,
            label=field.label,
            help_text=field.help_text,
            widget=widgets.UnfoldAdminSelect2MultipleWidget(),
        )

    def _offer(self, name: str) -> None:
        """The field is a choice among the provider's catalogue, if that has been read."""
        rows = ProviderOption.objects.filter(provider=self.instance, kind=name).order_by("name")
        choices = [(row.outside_id, f"{row.name} ({row.outside_id})") for row in rows]
        if not choices:
            return
        present = getattr(self.instance, name)
        if present and present not in dict(choices):
            choices.insert(0, (present, _withdrawn_label(present)))
        field = self.fields[name]
        self.fields[name] = forms.ChoiceField(
            choices=[("", "–"), *choices],
            required=False,
            label=field.label,
            help_text=field.help_text,
            widget=widgets.UnfoldAdminSelect2Widget(),
        )


def _withdrawn_label(outside_id: str) -> str:
    return gettext("%(id)s (no longer on offer)") % {"id": outside_id}


def size_choices(provider: Provider) -> list[tuple[str, str]]:
    """The sizes that the provider offers, cheapest first."""
    rows = ProviderOption.objects.filter(provider=provider, kind=ProviderOption.Kind.SIZE).order_by("price", "name")
    return [(row.outside_id, size_label(row)) for row in rows]


def plan_size_form_of(provider: Provider) -> type[forms.ModelForm[PlanSize]]:
    """The form to give a plan one of the provider's sizes; a withdrawn size remains a choice while it is used."""
    choices = size_choices(provider)
    withdrawn = set(provider.plan_sizes.values_list("size_id", flat=True)) - dict(choices).keys()
    choices += [(size_id, _withdrawn_label(size_id)) for size_id in sorted(withdrawn)]
    size = forms.ChoiceField(choices=[("", "–"), *choices], label=_("Size"), widget=widgets.UnfoldAdminSelectWidget())
    return type("PlanSizeForm", (forms.ModelForm,), {"__module__": __name__, "size_id": size})


def size_label(row: ProviderOption) -> str:
    """The size with its capacity and, if known, its monthly price."""
    cpus = "?" if row.cpus is None else row.cpus
    label = f"{row.name} · {cpus} CPU · {(row.ram_gb or 0):g} GB · {row.architecture or '?'}"
    return label if row.price is None else f"{label} · {row.price:.2f} {row.currency}"


def form_of(provider: Provider | None) -> type[ProviderForm]:
    """The form of this provider, with a field for each argument of its driver."""
    if provider is None or provider.kind != Provider.Kind.LIBCLOUD or not provider.driver:
        return ProviderForm
    stored = settings_of(provider)
    fields = {
        PREFIX + argument.name: _field(argument, stored.get(argument.name))
        for argument in driver_arguments(provider.driver)
    }
    return type("DriverForm", (ProviderForm,), {"__module__": __name__, **fields})


def setting_names(form: type[ProviderForm]) -> Iterable[str]:
    """The form's fields that are settings of the driver."""
    return [name for name in form.base_fields if name.startswith(PREFIX)]


def _field(argument: Argument, stored: object) -> forms.Field:
    common: dict[str, Any] = {"label": argument.name, "required": argument.is_required and not stored}
    if argument.is_secret:
        help_text = _("Stored. Leave empty to keep it.") if stored else ""
        return forms.CharField(**common, help_text=help_text, widget=widgets.UnfoldAdminPasswordWidget())
    present = argument.default if stored is None else stored
    if isinstance(argument.default, bool):
        return forms.BooleanField(
            label=argument.name,
            required=False,
            initial=present,
            widget=widgets.UnfoldBooleanSwitchWidget(),
        )
    if argument.name == "port":
        widget = widgets.UnfoldAdminIntegerFieldWidget()
        return forms.IntegerField(**common, initial=present, min_value=1, max_value=65535, widget=widget)
    return forms.CharField(**common, initial=present, widget=widgets.UnfoldAdminTextInputWidget())
