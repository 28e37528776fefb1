"""Days and times in the admin: the day first, twenty-four hours, in the zone of whoever looks."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format, get_format, sanitize_separators

from monitoring.models import Outage
from tests.factories import UserFactory, make_draft

EVENING = datetime(2026, 11, 22, 20, 41, tzinfo=UTC)


@pytest.mark.parametrize("language", ["en", "en-gb"])
def test_english_is_written_as_europeans_read_it(language: str) -> None:
    with translation.override(language):
        assert date_format(datetime(2026, 11, 22, 21, 41), "DATETIME_FORMAT") == "22 Nov 2026, 21:41"  # noqa: DTZ001
        assert date_format(date(2026, 11, 22), "SHORT_DATE_FORMAT") == "22 Nov 2026"
        assert get_format("DATE_INPUT_FORMATS")[0] == "%Y-%m-%d"
        assert sanitize_separators("1.5") == "1.5"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "shown"), [("Europe/Amsterdam", "22 Nov 2026, 21:41"), ("Asia/Tokyo", "23 Nov 2026, 05:41")]
)
def test_lists_and_pages_show_the_viewers_time(client: Client, zone: str, shown: str) -> None:
    outage = Outage.objects.create(order=make_draft(), application="WMS", started_at=EVENING, ended_at=EVENING)
    client.force_login(UserFactory(is_staff=True, is_superuser=True, time_zone=zone))
    for url in (
        reverse("admin:monitoring_outage_changelist"),
        reverse("admin:monitoring_outage_change", args=(outage.pk,)),
    ):
        page = client.get(url).content.decode()
        assert shown in page
        assert "p.m." not in page
        assert "a.m." not in page
