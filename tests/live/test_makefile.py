"""`make help` lists what people run."""

from __future__ import annotations

import re
import subprocess

from django.conf import settings

INTERNAL = {"setup", "prerequisites"}  # made by the others


def test_help_lists_every_command_with_what_it_does() -> None:
    makefile = (settings.BASE_DIR / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    shown = subprocess.run(["make", "help"], cwd=settings.BASE_DIR, capture_output=True, text=True, check=True).stdout
    listed = dict(re.findall(r"^  make (\w+)\s+(\S.+)$", shown, re.MULTILINE))
    assert set(listed) == set(phony[1].split()) - INTERNAL
    assert "PORT=" in listed["demo"]
