"""The webhook to staff's own systems, signed by Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import requests
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from core.errors import ConfigError, PermanentError, TransientError
from core.outside.address_guard import AddressBlocked, AddressGuard
from core.outside.guarded_requests import guarded_session

TIMEOUT = 15
NOT_AN_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffWebhook:
    """An address that takes signed JSON; only addresses that the guard allows are connected to."""

    url: str
    secret: str
    guard: AddressGuard

    def __repr__(self) -> str:
        return "StaffWebhook()"

    def post(self, *, message_id: str, body: str, at: datetime) -> None:
        """The receiver has taken `body`; raises OutsideError when it has not."""
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signature(message_id, body, at),
        }
        try:
            with guarded_session(self.guard) as session:
                reply = session.post(
                    self.url, data=body.encode(), headers=headers, timeout=TIMEOUT, allow_redirects=False
                )
        except AddressBlocked as error:
            raise ConfigError(f"STAFF_WEBHOOK_URL is not allowed: {error}") from error
        except NOT_AN_ADDRESS as error:
            raise ConfigError("STAFF_WEBHOOK_URL is not a web address") from error
        except requests.RequestException as error:
            raise TransientError(f"The staff webhook cannot be reached ({type(error).__name__})") from error
        _raise_for_status(reply)

    def _signature(self, message_id: str, body: str, at: datetime) -> str:
        try:
            return Webhook(self.secret).sign(msg_id=message_id, timestamp=at, data=body)
        except (ValueError, RuntimeError, EmptyWebhookSecretError) as error:
            raise ConfigError("STAFF_WEBHOOK_SECRET is not a secret of Standard Webhooks (whsec_…)") from error


def _raise_for_status(reply: requests.Response) -> None:
    status = reply.status_code
    if 200 <= status < 300:
        return
    message = f"The staff webhook answered {status}"
    if status == 429 or status >= 500:
        after = reply.headers.get("Retry-After", "")
        raise TransientError(message, retry_in=timedelta(seconds=int(after)) if after.isdecimal() else None)
    raise ConfigError(message) if status in (401, 403) else PermanentError(message)
