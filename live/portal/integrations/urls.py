"""The addresses of tokens and webhooks in the portal."""

from __future__ import annotations

from django.urls import path

from live.portal.integrations import tokens, webhooks

urlpatterns = [
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<slug:key>/revocation/", tokens.revoke, name="revoke_token"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/<int:pk>/", webhooks.webhook, name="webhook"),
    path("webhooks/<int:pk>/secret/", webhooks.rotate, name="rotate_webhook"),
    path("webhooks/<int:pk>/test/", webhooks.test, name="test_webhook"),
    path("webhooks/<int:pk>/replay/", webhooks.replay_failed, name="replay_webhook"),
    path("webhooks/<int:pk>/deletion/", webhooks.delete, name="delete_webhook"),
]
