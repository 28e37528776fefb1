"""The rows of this room: the canary of the stored secrets, and what staff are alerted to."""

from __future__ import annotations

from live.models.alert import AlertChoice, AlertKind, StaffAlert, WebhookDelivery
from live.models.canary import SecretsCanary

__all__ = ("AlertChoice", "AlertKind", "SecretsCanary", "StaffAlert", "WebhookDelivery")
