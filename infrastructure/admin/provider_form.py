"""The form of a provider: asks for what its libcloud driver needs, and never shows a secret again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from infrastructure.adapters.libcloud.arguments import Argument
from infrastructure.adapters.libcloud.cloud import driver_names
from infrastructure.adapters.libcloud.offers import driver_arguments
from infrastructure.keys import settings_of
from infrastructure.models import PlanSize, Provider, ProviderOption

PREFIX = "setting_"


class ProviderForm(forms.ModelForm[Provider]):
    """A provider; what its driver asks for appears once the driver has been saved."""

    class Meta:
        model = Provider
        fields = "__all__"  # noqa: DJ007  (the admin says which)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "driver" in self.fields:
            names = [("", "–"), *((name, name) for name in driver_names())]
            widget = widgets.UnfoldAdminSelectWidget()
            self.fields["driver"] = forms.ChoiceField(
                choices=names,
                required=False,
                label=_("libcloud driver"),
                widget=widget,
                help_text=_("Save it, and the page asks for what the driver needs."),
            )
        for name in ("location", "image", "network"):
            if name in self.fields and self.instance.pk:
                self._offer(name)
        if "size_ids" in self.fields:
            self._offer_sizes()

    def clean(self) -> dict[str, Any]:
        """A cloud has a driver; nothing else has one."""
        cleaned = super().clean() or {}
        kind = cleaned.get("kind", self.instance.kind)
        if kind == Provider.Kind.LIBCLOUD and not cleaned.get("driver", self.instance.driver):
            self.add_error("driver" if "driver" in self.fields else None, _("A cloud needs its libcloud driver."))
        return cleaned

    def driver_settings(self) -> dict[str, object]:
        """What the driver is to be told; a secret that was left empty stays as it is."""
        told = {}
        for name, value in self.cleaned_data.items():
            if name.startswith(PREFIX) and not (self.fields[name].widget.input_type == "password" and not value):
                told[name.removeprefix(PREFIX)] = value
        return told

    def _offer_sizes(self) -> None:
        """Sizes are chosen among those on offer, with what they have and cost."""
        choices = size_choices(self.instance)
        gone = [one for one in self.instance.size_ids if one not in dict(choices)]
        choices += [(one, gettext("%(id)s (no longer on offer)") % {"id": one}) for one in gone]
        field = self.fields["size_ids"]
        self.fields["size_ids"] = forms.MultipleChoiceField(
            choices=choices,
            required=False,
            label=field.label,
            help_text=field.help_text,
            widget=widgets.UnfoldAdminSelect2MultipleWidget(),
        )

    def _offer(self, name: str) -> None:
        """The field is a choice among what the provider offers, if that is known."""
        rows = ProviderOption.objects.filter(provider=self.instance, kind=name).order_by("name")
        choices = [(row.outside_id, f"{row.name} ({row.outside_id})") for row in rows]
        if not choices:
            return
        present = getattr(self.instance, name)
        if present and present not in dict(choices):
            choices.insert(0, (present, gettext("%(id)s (no longer on offer)") % {"id": present}))
        field = self.fields[name]
        self.fields[name] = forms.ChoiceField(
            choices=[("", "–"), *choices],
            required=False,
            label=field.label,
            help_text=field.help_text,
            widget=widgets.UnfoldAdminSelect2Widget(),
        )


def size_choices(provider: Provider) -> list[tuple[str, str]]:
    """The sizes that the provider offers, the cheapest first."""
    rows = ProviderOption.objects.filter(provider=provider, kind=ProviderOption.Kind.SIZE).order_by("price", "name")
    return [(row.outside_id, size_words(row)) for row in rows]


def plan_size_form_of(provider: Provider) -> type[forms.ModelForm[PlanSize]]:
    """The form in which a plan gets one of the provider's sizes; a size that is gone stays until it is changed."""
    choices = size_choices(provider)
    chosen = set(provider.plan_sizes.values_list("size_id", flat=True)) - {one for one, _words in choices}
    gone = [(one, gettext("%(id)s (no longer on offer)") % {"id": one}) for one in sorted(chosen)]
    size = forms.ChoiceField(
        choices=[("", "–"), *choices, *gone], label=_("Size"), widget=widgets.UnfoldAdminSelectWidget()
    )
    return type("PlanSizeForm", (forms.ModelForm,), {"__module__": __name__, "size_id": size})


def size_words(row: ProviderOption) -> str:
    """The size in a line: what it has, and its price a month where that is told."""
    cpus = "?" if row.cpus is None else row.cpus
    words = f"{row.name} · {cpus} CPU · {(row.ram_gb or 0):g} GB · {row.architecture or '?'}"
    return words if row.price is None else f"{words} · {row.price:.2f} {row.currency}"


def form_of(provider: Provider | None) -> type[ProviderForm]:
    """The form of this provider, with a field for each argument of its driver."""
    if provider is None or provider.kind != Provider.Kind.LIBCLOUD or not provider.driver:
        return ProviderForm
    told = settings_of(provider)
    fields = {PREFIX + one.name: _field(one, told.get(one.name)) for one in driver_arguments(provider.driver)}
    return type("DriverForm", (ProviderForm,), {"__module__": __name__, **fields})


def setting_names(form: type[ProviderForm]) -> Iterable[str]:
    """The fields of a form that are told to the driver."""
    return [name for name in form.base_fields if name.startswith(PREFIX)]


def _field(argument: Argument, told: object) -> forms.Field:
    common: dict[str, Any] = {"label": argument.name, "required": argument.is_required and not told}
    if argument.is_secret:
        words = _("Stored; leave empty to keep it.") if told else ""
        return forms.CharField(**common, help_text=words, widget=widgets.UnfoldAdminPasswordWidget())
    present = argument.default if told is None else told
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
