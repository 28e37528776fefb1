"""Reads the details of many clients, a few calls at a time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from customers.whmcs.client import NotInWhmcs, WhmcsClient
from customers.whmcs.client_record import ClientDetails, read_people

DETAILS_AT_ONCE = 4


def read_details(
    client: WhmcsClient, client_ids: Sequence[int], *, with_contacts: bool = False
) -> dict[int, ClientDetails]:
    """The details of each client; a client deleted meanwhile is left out. Contacts cost another call for each."""

    def read(client_id: int) -> ClientDetails | None:
        try:
            details = client.client_details(client_id)
            if not with_contacts:
                return details
            return replace(details, contacts=read_people(client.contacts(client_id), are_contacts=True))
        except NotInWhmcs:
            return None

    if len(client_ids) < 2:
        found = [read(client_id) for client_id in client_ids]
    else:
        with ThreadPoolExecutor(DETAILS_AT_ONCE) as pool:
            found = list(pool.map(read, client_ids))
    return {details.client_id: details for details in found if details is not None}
