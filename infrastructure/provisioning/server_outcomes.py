"""What a visit to a server found: its columns, its sentence, and a resize that its new plan needs."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from core.engine.outcome import Outcome, failed, retry
from infrastructure.contracts.cloud import Node
from infrastructure.models import Server, ServerAction

RECHECK_RESIZE_AFTER = timedelta(seconds=5)


def fields_of_node(node: Node) -> dict[str, str]:
    """The node as columns of the server's row."""
    return {"outside_id": node.outside_id, "address": node.address, "size": node.size}


def running_message(node: Node) -> str:
    """The sentence about a server that is there."""
    return _("Server %(id)s is running at %(address)s.") % {"id": node.outside_id, "address": node.address}


def resize_outcome(row: Server) -> Outcome | None:
    """The outcome while the server is being resized for its order's plan, or could not be; None otherwise."""
    if not row.order.is_changing:
        return None
    resize = row.server_actions.filter(verb=ServerAction.Verb.RESIZE).order_by("-pk").first()
    if resize is None or resize.is_settled:
        return None
    if resize.has_failed:
        return failed(_("The server could not be resized: %(error)s") % {"error": resize.last_error})
    return retry(_("The server is being resized."), retry_in=RECHECK_RESIZE_AFTER)
