"""Connection files as QGIS reads them."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from live.portal.connect.qgis_files import FORMATS, connection_file
from live.portal.connect.service_kinds import QGIS_KINDS, ServiceKind

NAME = 'Maps of "Merholm" & <more>'
URL = "https://gl.example/ows?map=a&b=c"


@pytest.mark.parametrize("kind", QGIS_KINDS)
def test_a_file_holds_one_connection_whatever_its_name(kind: ServiceKind) -> None:
    root = ElementTree.fromstring(connection_file(kind, name=NAME, url=URL))  # noqa: S314  # a text of ours
    (connection,) = root
    assert root.tag == FORMATS[kind].root
    assert connection.tag == FORMATS[kind].element
    assert (connection.get("name"), connection.get("url")) == (NAME, URL)


def test_features_are_read_page_by_page_in_whatever_version_there_is() -> None:
    root = ElementTree.fromstring(connection_file(ServiceKind.WFS, name=NAME, url=URL))  # noqa: S314
    assert root.get("version") == "1.1"
    assert (root[0].get("version"), root[0].get("pagingenabled")) == ("auto", "true")


def test_a_page_in_a_browser_has_no_file() -> None:
    with pytest.raises(KeyError):
        connection_file(ServiceKind.WEB, name=NAME, url=URL)
