"""Forms for customers, users and tokens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import UserChangeForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from core import clock
from core.iso_codes import country_choices, currency_choices
from customers.models import Address, ApiToken, Customer, Membership, User
from customers.models.people import time_zone_choices
from customers.services import similar_customers
from customers.tokens.choices import clean_networks, full_access, scope_choices
from customers.vat_id import clean_vat_id


class CustomerForm(forms.ModelForm[Customer]):
    """A customer with a valid VAT id and currency; a likely duplicate is stored only once that is confirmed."""

    currency = forms.ChoiceField(label=gettext_lazy("Currency"), widget=UnfoldAdminSelectWidget, initial="EUR")
    is_new_customer = forms.BooleanField(
        label=gettext_lazy("This is another customer"),
        required=False,
        help_text=gettext_lazy("Tick this to store it although a similar customer exists."),
        widget=UnfoldBooleanSwitchWidget(),
    )

    class Meta:
        model = Customer
        fields = ("kind", "name", "email", "phone", "vat_id", "language", "currency", "notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(field := self.fields.get("currency"), forms.ChoiceField):
            field.choices = currency_choices()
        if self.instance.pk is not None:
            self.fields.pop("is_new_customer", None)

    def clean_vat_id(self) -> str:
        """The VAT id in the form of the registers."""
        try:
            return clean_vat_id(self.cleaned_data["vat_id"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """Refuses a new customer that looks like one that exists, until told that it is another."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk is None and not cleaned.get("is_new_customer"):
            similar = similar_customers(
                name=cleaned.get("name", ""), email=cleaned.get("email", ""), vat_id=cleaned.get("vat_id", "")
            )
            if similar:
                names = ", ".join(f"{customer.name} ({customer.number})" for customer in similar)
                message = _(
                    "A customer with this name, e-mail address or VAT id exists already: %(names)s. If this is a "
                    "different one, tick “This is another customer”."
                )
                self.add_error(None, message % {"names": names})
        return cleaned


class AddressForm(forms.ModelForm[Address]):
    """An address; the country is chosen from ISO 3166."""

    country = forms.ChoiceField(label=gettext_lazy("Country"), widget=UnfoldAdminSelectWidget, initial="NL")

    class Meta:
        model = Address
        fields = ("kind", "street", "street2", "postcode", "city", "region", "country")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(field := self.fields.get("country"), forms.ChoiceField):
            field.choices = country_choices()


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
                field.choices = [("", _("Default")), *choices[name]]


class TokenForm(forms.ModelForm[ApiToken]):
    """A token for a program; `asker` is the staff member who makes it."""

    asker: User
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"),
        choices=scope_choices,
        initial=full_access,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("What the token may be used for; never more than its user may do."),
    )
    networks = forms.CharField(
        label=gettext_lazy("Allowed networks"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("One per line, such as 203.0.113.0/24. Empty: it may be used from anywhere."),
    )

    class Meta:
        model = ApiToken
        fields = ("user", "name", "scopes", "customer", "networks", "expiry")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" in self.fields:
            self.fields["name"].required = True
        if "expiry" in self.fields:
            lifetime = _("Empty: it works for %(days)s days.") % {"days": settings.API_TOKEN_DAYS}
            self.fields["expiry"].help_text = lifetime

    def clean_user(self) -> User:
        """A token acts for its user: nobody makes one for a more powerful colleague."""
        user: User = self.cleaned_data["user"]
        if user.is_staff and user != self.asker and not self.asker.is_superuser:
            raise forms.ValidationError(_("Only an administrator can create tokens for other staff members."))
        return user

    def clean_networks(self) -> list[str]:
        """The networks, one per line."""
        try:
            return clean_networks(self.cleaned_data["networks"].splitlines())
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """Limited to a customer, the token's user has to see that customer."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        user, customer = cleaned.get("user"), cleaned.get("customer")
        if user and customer and not Customer.objects.visible_to(user).filter(pk=customer.pk).exists():
            self.add_error("customer", _("%(user)s cannot see this customer.") % {"user": user})
        return cleaned

    def clean_expiry(self) -> Any:
        """A moment in the future, or none."""
        expiry = self.cleaned_data["expiry"]
        if expiry is not None and expiry <= clock.now():
            raise forms.ValidationError(_("Choose a moment in the future."))
        return expiry


class MembershipFormSet(forms.BaseInlineFormSet[Membership, Any, Any]):
    """Memberships of one customer or user; `editor` is the member of staff who changes them."""

    editor: User

    def clean(self) -> None:
        """Refuses memberships of the editor and of other staff without the right to them."""
        super().clean()
        if self.editor.has_perm("customers.admit_staff"):
            return
        for form in self.forms:
            member = form.instance.user if form.has_changed() and form.instance.user_id else None
            if member is not None and (member == self.editor or member.is_staff):
                message = _("You may not make yourself or other staff a member; that needs the right “%(name)s”.")
                form.add_error(None, message % {"name": "customers.admit_staff"})
