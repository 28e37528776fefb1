"""What staff may type of a customer, a user and a token."""

from __future__ import annotations

from typing import Any

from babel import Locale
from babel.numbers import is_currency
from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import UserChangeForm
from unfold.widgets import UnfoldAdminSelectWidget

from core import clock
from customers.models import Address, ApiToken, Customer, User
from customers.models.people import time_zone_choices
from customers.vat_id import clean_vat_id


class CapitalsField(forms.CharField):
    """Text that is kept in capitals, however it is typed."""

    def to_python(self, value: Any) -> str:
        """In capitals, without spaces around it."""
        return str(super().to_python(value) or "").strip().upper()


class CustomerForm(forms.ModelForm[Customer]):
    """A customer whose VAT id and currency can be right."""

    class Meta:
        model = Customer
        fields = ("kind", "name", "email", "phone", "vat_id", "language", "currency", "notes")
        field_classes = {"currency": CapitalsField}

    def clean_vat_id(self) -> str:
        """The VAT id as it is written in registers."""
        try:
            return clean_vat_id(self.cleaned_data["vat_id"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_currency(self) -> str:
        """A currency that exists."""
        currency = str(self.cleaned_data["currency"])
        if not is_currency(currency):
            raise forms.ValidationError(_("%(code)s is no currency of ISO 4217.") % {"code": currency})
        return currency


class AddressForm(forms.ModelForm[Address]):
    """An address in a country that exists."""

    class Meta:
        model = Address
        fields = ("kind", "street", "street2", "postcode", "city", "region", "country")
        field_classes = {"country": CapitalsField}

    def clean_country(self) -> str:
        """A country that exists."""
        country = str(self.cleaned_data["country"])
        if country not in Locale("en").territories:
            raise forms.ValidationError(_("%(code)s is no country of ISO 3166.") % {"code": country})
        return country


class PersonForm(UserChangeForm):
    """A user's own page, with a time zone and a language to choose."""

    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False, widget=UnfoldAdminSelectWidget)
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email", "time_zone", "language")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: dict[str, list[Any]] = {"time_zone": time_zone_choices(), "language": list(settings.LANGUAGES)}
        for name in choices.keys() & self.fields.keys():
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                field.choices = [("", _("That of the platform")), *choices[name]]


class TokenForm(forms.ModelForm[ApiToken]):
    """A token for a program; `asker` is the staff member who makes it."""

    asker: User

    class Meta:
        model = ApiToken
        fields = ("user", "name", "expiry")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" in self.fields:
            self.fields["name"].required = True

    def clean_user(self) -> User:
        """A token acts for its user: nobody makes one for a more powerful colleague."""
        user: User = self.cleaned_data["user"]
        if user.is_staff and user != self.asker and not self.asker.is_superuser:
            raise forms.ValidationError(_("Only an administrator makes tokens for other members of staff."))
        return user

    def clean_expiry(self) -> Any:
        """A moment that is still to come, or none."""
        expiry = self.cleaned_data["expiry"]
        if expiry is not None and expiry <= clock.now():
            raise forms.ValidationError(_("Choose a moment in the future."))
        return expiry
