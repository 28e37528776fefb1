"""The webhook to staff's own systems, signed by Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.errors import ConfigError, PermanentError, TransientError
from core.outside.address_guard import AddressBlocked, AddressGuard
from core.outside.webhook_post import WebhookReply, WebhookTarget, sign_message


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
        try:
            sign_message(self.secret, message_id=message_id, body=body, at=at)
        except ConfigError as error:
            raise ConfigError("STAFF_WEBHOOK_SECRET is not a secret of Standard Webhooks (whsec_…)") from error
        target = WebhookTarget(url=self.url, secrets=(self.secret,), guard=self.guard)
        try:
            reply = target.post(message_id=message_id, body=body, at=at)
        except AddressBlocked as error:
            raise ConfigError(f"STAFF_WEBHOOK_URL is not allowed: {error}") from error
        except ConfigError as error:
            raise ConfigError("STAFF_WEBHOOK_URL is not a web address") from error
        except TransientError as error:
            raise TransientError(f"The staff webhook: {error}".replace(": It ", " ")) from error
        _raise_for_status(reply)


def _raise_for_status(reply: WebhookReply) -> None:
    if reply.is_taken:
        return
    message = f"The staff webhook answered {reply.status}"
    if reply.status == 429 or reply.status >= 500:
        raise TransientError(message, retry_in=reply.retry_in)
    raise ConfigError(message) if reply.status in (401, 403) else PermanentError(message)
