"""Signed messages to the systems of others, by Standard Webhooks (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import requests
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from core.call_times.counting import OutsideSystem, outcome_of_status, timed_call
from core.errors import ConfigError, TransientError
from core.outside.address_guard import AddressGuard
from core.outside.guarded_requests import guarded_session

TIMEOUT = 15
LONGEST_WAIT = 24 * 3600  # seconds; what a receiver may ask for by Retry-After
NOT_AN_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReply:
    """What the receiver answered."""

    status: int
    seconds: float
    retry_in: timedelta | None = None

    @property
    def is_taken(self) -> bool:
        """True when the receiver has the message."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """An address that takes signed JSON; only addresses that the guard allows are connected to.

    With several secrets each message has a signature by each, so that a receiver can change from one to the next.
    """

    url: str
    secrets: tuple[str, ...]
    guard: AddressGuard

    def __repr__(self) -> str:
        return "WebhookTarget()"

    def post(self, *, message_id: str, body: str, at: datetime) -> WebhookReply:
        """The receiver's answer; redirects are not followed, and its body is not read.

        Raises AddressBlocked or ConfigError when nothing may be sent, TransientError when it cannot be reached.
        """
        with timed_call(OutsideSystem.WEBHOOK) as call:
            reply = self._post(message_id, body, at)
            call.outcome = outcome_of_status(reply.status)
        return reply

    def _post(self, message_id: str, body: str, at: datetime) -> WebhookReply:
        signatures = " ".join(sign_message(secret, message_id=message_id, body=body, at=at) for secret in self.secrets)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GeocatLive-Webhooks/1",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signatures,
        }
        start = time.monotonic()
        try:
            with (
                guarded_session(self.guard) as session,
                session.post(
                    self.url,
                    data=body.encode(),
                    headers=headers,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                    stream=True,
                ) as reply,
            ):
                after = reply.headers.get("Retry-After", "")
                wait = timedelta(seconds=min(int(after), LONGEST_WAIT)) if after.isdecimal() else None
                return WebhookReply(status=reply.status_code, seconds=time.monotonic() - start, retry_in=wait)
        except NOT_AN_ADDRESS as error:
            raise ConfigError("It is not a web address") from error
        except requests.RequestException as error:
            raise TransientError(f"It cannot be reached ({type(error).__name__})") from error


def sign_message(secret: str, *, message_id: str, body: str, at: datetime) -> str:
    """The signature; ConfigError when the secret is not one of Standard Webhooks."""
    try:
        return Webhook(secret).sign(msg_id=message_id, timestamp=at, data=body)
    except (ValueError, RuntimeError, EmptyWebhookSecretError) as error:
        raise ConfigError("The secret is not one of Standard Webhooks (whsec_…)") from error


def new_secret() -> str:
    """A secret of 32 random bytes, as the libraries of Standard Webhooks take it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
