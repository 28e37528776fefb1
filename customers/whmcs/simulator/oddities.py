"""What a WHMCS may do to its callers, each a switch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Oddities:
    """The documentation shows or leaves open each of these."""

    string_ids: bool = False  # ids as text, as in some examples
    empty_lists_as_text: bool = False  # "" where a list has no items
    flattened: bool = False  # clients[client][0][id], as in some examples
    refused_address: bool = False  # 403 by IP
    maintenance_page: bool = False  # an HTML page with status 200
    delay: float = 0.0  # seconds before every answer
    lost_replies: int = 0  # so many calls are carried out, and their connection is closed without an answer
    gone_after_list: frozenset[int] = frozenset()  # clients deleted between the list and their details
