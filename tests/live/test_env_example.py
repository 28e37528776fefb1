"""The example of the environment can be copied as it is: only the secret is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / ".env.example").read_text()


def test_copied_example_starts_once_it_has_a_secret() -> None:
    given = dict(line.split("=", 1) for line in EXAMPLE.splitlines() if re.match(r"[A-Z_]+=", line))
    existing = set(re.findall(r"[A-Z_]{4,}", EXAMPLE))
    inherited = {name: value for name, value in os.environ.items() if name not in existing}
    environment = {**inherited, **given, "SECRET_KEY": "x" * 60, "DJANGO_SETTINGS_MODULE": "live.settings"}
    run = subprocess.run(
        [sys.executable, "manage.py", "check", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_every_setting_read_from_the_environment_is_documented() -> None:
    settings = (ROOT / "live" / "settings.py").read_text()
    read = set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', settings))
    assert read
    assert read - set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE)) == set()
