from __future__ import annotations

import re

from tests.docs.architecture_map import PAGE, ROOT, page_with_map


def test_the_map_is_what_the_contracts_say() -> None:
    page = PAGE.read_text()
    assert page == page_with_map(page), "run python -m tests.docs.architecture_map"


def test_every_file_and_folder_that_the_page_names_exists() -> None:
    links = re.findall(r"\]\(\.\./([^)#]+)\)", PAGE.read_text())
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []
