"""The stable codes of the API's errors: what each says in general; `detail` says it of a single request.

A code never changes its meaning. The rooms' refusals bring their own codes; those that deserve a better title than
their name have one here.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import Refusal

TITLES = {
    "invalid": "Validation failed",
    "invalid_inputs": "Invalid product inputs",
    "invalid_characters": "The request holds control characters",
    "parse_error": "Malformed request",
    "not_authenticated": "Authentication required",
    "authentication_failed": "Invalid token or session",
    "permission_denied": "Permission denied",
    "insufficient_scope": "The token lacks a scope",
    "network_not_allowed": "The token may not be used from this network",
    "not_found": "Not found",
    "method_not_allowed": "Method not allowed",
    "not_acceptable": "Not acceptable",
    "unsupported_media_type": "Unsupported media type",
    "throttled": "Too many requests",
    "refused": "Request refused",
    "not_possible": "Not possible in the current state",
    "not_on_sale": "No longer on sale",
    "nothing_planned": "The order has been approved",
    "customer_closed": "Customer is closed",
    "address_missing": "The customer's address is missing",
    "customer_missing": "Customer not found",
    "no_provider": "No provider can take this order",
    "no_room": "No room at any provider",
    "no_ports": "No ports left",
    "still_down": "An endpoint is still down",
    "already_resolved": "The incident is resolved",
    "sign_on_refused": "Single sign-on refused",
    "token_refused": "Token refused",
    "not_ready": "Not ready yet",
    "mfa_required": "Two-factor authentication required",
    "name_taken": "Name already in use",
    "precondition_failed": "Changed in the meantime",
    "idempotency_key_reused": "Idempotency-Key reused for a different request",
    "idempotency_key_in_use": "A request with this Idempotency-Key is still in progress",
    "too_large": "Request body too large",
    "bad_signature": "Invalid signature",
    "stale_signature": "Signature expired",
    "error": "Internal error",
}


def title_of(code: str) -> str | None:
    """The title of a code; None when no error has it."""
    if code in TITLES:
        return TITLES[code]
    refused = any(refusal.code == code for refusal in _refusals(Refusal))
    return code.replace("_", " ").capitalize() if refused else None


def _refusals(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for refusal in kind.__subclasses__():
        yield refusal
        yield from _refusals(refusal)
