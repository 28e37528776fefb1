"""Subscriptions and invoices as the API shows them."""

from __future__ import annotations

from rest_framework import serializers

from billing.models import Invoice, InvoiceLine, Payment, Settlement, Subscription
from core.api.base import AmountField, ResourceSerializer, RowSerializer
from customers.api.serializers import CUSTOMER, CustomerNameSerializer
from orders.api.rows import order_expansion


class SettlementSerializer(RowSerializer):
    """What a payment settled: an invoice, or a refund."""

    invoice = serializers.CharField(source="invoice.number", read_only=True, default=None, allow_null=True)
    amount = AmountField("amount", currency="payment.currency")

    class Meta:
        model = Settlement
        fields = ("invoice", "amount", "settled_on")


class PaymentSerializer(ResourceSerializer):
    """Money that was received from a customer, or paid back; `left` is the part that settled nothing yet."""

    expansions = {"customer": CUSTOMER}

    customer = CustomerNameSerializer()
    amount = AmountField("amount")
    left = AmountField("left")
    settlements = SettlementSerializer(many=True)

    class Meta:
        model = Payment
        fields = ("id", "customer", "kind", "method", "amount", "left", "received_on", "reference", "settlements")


class SubscriptionSerializer(ResourceSerializer):
    """What a customer pays for an order, again and again."""

    expansions = {"customer": CUSTOMER, "order": order_expansion()}

    order = serializers.CharField(source="order.reference", read_only=True)
    customer = CustomerNameSerializer()
    price = AmountField("price")
    setup_fee = AmountField("setup_fee")

    class Meta:
        model = Subscription
        fields = (
            "id",
            "order",
            "customer",
            "description",
            "detail",
            "price",
            "setup_fee",
            "period",
            "state",
            "started_on",
            "next_invoice_on",
            "ended_on",
        )


class LineSerializer(RowSerializer):
    """One line of an issued invoice."""

    unit_price = AmountField("unit_price", currency="invoice.currency", is_rounded=False)
    net = AmountField("net", currency="invoice.currency")
    order = serializers.CharField(source="order.reference", read_only=True, default=None, allow_null=True)

    class Meta:
        model = InvoiceLine
        fields = (
            "position",
            "order",
            "description",
            "detail",
            "quantity",
            "unit_price",
            "net",
            "vat_category",
            "vat_rate",
            "period_start",
            "period_end",
        )


class InvoiceSerializer(ResourceSerializer):
    """An invoice as it was issued; `period_end` is the first day that is not paid for."""

    expansions = {"customer": CUSTOMER, "order": order_expansion()}

    customer = CustomerNameSerializer()
    order = serializers.CharField(
        source="order.reference",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="Empty where the invoice charges several orders: its lines name them.",
    )
    corrects = serializers.CharField(source="corrects.number", read_only=True, default=None, allow_null=True)
    specimen = serializers.BooleanField(source="is_specimen", read_only=True)
    seller = serializers.DictField(read_only=True)
    buyer = serializers.DictField(read_only=True)
    payment = serializers.DictField(read_only=True)
    breakdown = serializers.ListField(child=serializers.DictField(), read_only=True)
    net = AmountField("net")
    tax = AmountField("tax")
    gross = AmountField("gross")
    outstanding = AmountField("outstanding")
    lines = LineSerializer(many=True)

    class Meta:
        model = Invoice
        fields = (
            "number",
            "kind",
            "corrects",
            "reason",
            "customer",
            "order",
            "specimen",
            "state",
            "issued_on",
            "due_on",
            "paid_on",
            "period_start",
            "period_end",
            "language",
            "seller",
            "buyer",
            "payment",
            "lines",
            "breakdown",
            "net",
            "tax",
            "gross",
            "outstanding",
        )
