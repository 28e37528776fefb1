"""How customers are billed, and the rates that apply."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from billing.models import BillingProfile, ExchangeRate, LocationEvidence, Mandate, VatRate


@admin.register(BillingProfile)
class BillingProfileAdmin(ModelAdmin):
    """Grouping, invoice day, payment term, and the terms of new subscriptions."""

    list_display = ("customer", "grouping", "invoice_day", "payment_days", "discount", "sends_reminders", "may_suspend")
    list_select_related = ("customer",)
    autocomplete_fields = ("customer",)
    search_fields = ("customer__name", "customer__number")
    ordering = ("-pk",)


@admin.register(LocationEvidence)
class LocationEvidenceAdmin(ModelAdmin):
    """Evidence of where consumers are established."""

    list_display = ("customer", "kind", "country", "note")
    list_filter = ("kind", "country")
    list_select_related = ("customer",)
    autocomplete_fields = ("customer",)
    search_fields = ("customer__name",)
    ordering = ("-pk",)


@admin.register(Mandate)
class MandateAdmin(ModelAdmin):
    """SEPA mandates."""

    list_display = ("reference", "customer", "scheme", "signed_on", "is_active")
    list_filter = ("scheme", "is_active")
    list_select_related = ("customer",)
    autocomplete_fields = ("customer",)
    search_fields = ("reference", "customer__name")
    ordering = ("-pk",)


@admin.register(VatRate)
class VatRateAdmin(ModelAdmin):
    """Standard VAT rates by the day from which they apply."""

    list_display = ("country", "valid_from", "rate")
    list_filter = ("country",)
    search_fields = ("country",)


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ModelAdmin):
    """Exchange rates by the day on which they were published."""

    list_display = ("currency", "published_on", "per_euro")
    list_filter = ("currency",)
    search_fields = ("currency",)
