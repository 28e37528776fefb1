"""Customers read from a spreadsheet: one row each, previewed before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from import_export.admin import ImportMixin
from import_export.fields import Field
from import_export.formats.base_formats import CSV, XLSX
from import_export.resources import ModelResource
from unfold.admin import ModelAdmin
from unfold.contrib.import_export.forms import ImportForm

from core.text.plain_text import is_plain_text, plain_text_message
from customers.admin.export import FORMULA
from customers.models import Address, Customer
from customers.services import new_customer_number, similar_customers
from customers.vat_checks.services import request_vat_check
from customers.vat_id import clean_vat_id

ADDRESS = ("street", "street2", "postcode", "city", "region", "country")


class AddressColumn(Field):
    """A column of the address to which invoices go; it is written once the customer is."""

    def get_value(self, instance: Customer) -> str:
        """The value that is read from the sheet, or else the stored one."""
        pending: dict[str, str] = instance.__dict__.get("pending_address", {})
        if self.column_name in pending:
            return pending[self.column_name]
        address = instance.billing_address if instance.pk else None
        return str(getattr(address, self.column_name)) if address else ""

    def save(self, instance: Customer, row: Mapping[str, Any], is_m2m: bool = False, **kwargs: Any) -> None:
        """The value waits on the customer."""
        if self.column_name in row:
            value = str(row[self.column_name] or "").strip()
            instance.__dict__.setdefault("pending_address", {})[self.column_name] = value


class CustomerResource(ModelResource):
    """The columns of the export. `number` names the customer; a row without one is a new customer."""

    street = AddressColumn(attribute="street", column_name="street")
    street2 = AddressColumn(attribute="street2", column_name="street2")
    postcode = AddressColumn(attribute="postcode", column_name="postcode")
    city = AddressColumn(attribute="city", column_name="city")
    region = AddressColumn(attribute="region", column_name="region")
    country = AddressColumn(attribute="country", column_name="country")

    class Meta:
        model = Customer
        import_id_fields = ("number",)
        fields = ("number", "kind", "name", "email", "phone", "vat_id", "language", "currency", *ADDRESS)
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        """Values are texts without the mark that keeps a spreadsheet from running them; VAT ids in their one form."""
        for name, value in row.items():
            text = "" if value is None else str(value).strip()
            row[name] = text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
            if not is_plain_text(row[name]):
                raise ValidationError({name: plain_text_message()})
        if "vat_id" in row:
            try:
                row["vat_id"] = clean_vat_id(row["vat_id"])
            except ValueError as error:
                raise ValidationError({"vat_id": str(error)}) from error

    def get_instance(self, instance_loader: Any, row: dict[str, Any]) -> Customer | None:
        """The customer of that number; raises ValidationError when there is none, or it may not be changed."""
        if not row.get("number"):
            return None
        customer: Customer | None = super().get_instance(instance_loader, row)
        if customer is None:
            raise ValidationError({"number": _("There is no customer %(number)s.") % {"number": row["number"]}})
        if customer.anonymised_at:
            raise ValidationError({"number": _("This customer has been anonymised.")})
        return customer

    def import_instance(self, instance: Customer, row: dict[str, Any], **kwargs: Any) -> None:
        """A new customer must not look like one that exists."""
        super().import_instance(instance, row, **kwargs)
        if instance.pk is None:
            instance.number = new_customer_number()
            similar = similar_customers(name=instance.name, email=instance.email, vat_id=instance.vat_id)
            if similar:
                names = ", ".join(f"{customer.name} ({customer.number})" for customer in similar)
                raise ValidationError(_("This looks like a customer that exists: %(names)s.") % {"names": names})
        pending = instance.__dict__.get("pending_address", {})
        if any(pending.values()):
            self._address(instance, pending).clean_fields(exclude=["customer"])

    def before_save_instance(self, instance: Customer, row: dict[str, Any], **kwargs: Any) -> None:
        """A changed VAT id has yet to be checked."""
        before = Customer.objects.filter(pk=instance.pk).values_list("vat_id", flat=True).first()
        instance.__dict__["has_new_vat_id"] = before != instance.vat_id
        if instance.__dict__["has_new_vat_id"]:
            instance.vat_id_checked_at = None

    def after_save_instance(self, instance: Customer, row: dict[str, Any], **kwargs: Any) -> None:
        """The address is written, and a new VAT id checked."""
        pending = instance.__dict__.pop("pending_address", {})
        if any(pending.values()):
            self._address(instance, pending).save()
        if instance.__dict__["has_new_vat_id"]:
            request_vat_check(customer=instance)

    def _address(self, customer: Customer, values: Mapping[str, str]) -> Address:
        address = customer.billing_address if customer.pk else None
        address = address or Address(kind=Address.Kind.GENERAL)
        if customer.pk:
            address.customer = customer
        for name, value in values.items():
            setattr(address, name, value)
        return address


class CustomerImport(ImportMixin, ModelAdmin):
    """The two steps of reading a spreadsheet, which the admin of customers shows."""

    resource_classes = (CustomerResource,)
    import_form_class = ImportForm
    formats = (CSV, XLSX)

    def has_import_permission(self, request: HttpRequest) -> bool:
        """For whoever may add and change customers."""
        return bool(self.has_add_permission(request) and self.has_change_permission(request))
