"""The demonstration as a newcomer runs it, with the worker killed on the way: one of everything, and nothing left."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run_demo(folder: Path, *options: str) -> dict[str, Any]:
    """The summary that `manage.py demo --once --json` prints, on a database of its own."""
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("SITE_URL", "EMAIL_URL")},
        "DJANGO_SETTINGS_MODULE": "live.settings",
        "DEBUG": "true",
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'live.sqlite3'}",
        "EMAIL_URL": f"filemail:///{folder / 'mail'}",
        "TASK_TIMEOUT": "10",
        "REQUEUE_AFTER": "2",
        "LOG_LEVEL": "INFO",
    }
    command = [sys.executable, "manage.py", "demo", "--once", "--json", "--port", "0", *options]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    summary: dict[str, Any] = json.loads(run.stdout)
    return summary


def made_ever(folder: Path, table: str) -> int:
    """How many rows a table was ever given, whether or not they are still there."""
    with sqlite3.connect(folder / "live.sqlite3") as database:
        row = database.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", [table]).fetchone()
    return int(row[0]) if row else 0


def test_demo_ends_with_one_of_everything_and_nothing_left(tmp_path: Path) -> None:
    summary = run_demo(tmp_path, "--kill-worker", "4")
    assert [state["state"] for state in summary["states"]] == ["draft", "provisioning", "active", "removing", "removed"]
    assert summary["left_behind"] == []
    assert summary["server"]["id"] == "sbx-1"
    assert made_ever(tmp_path, "sandbox_sandboxnode") == 1
    assert made_ever(tmp_path, "sandbox_sandboxcomposition") == 1
    assert made_ever(tmp_path, "billing_invoice") == 1
    assert {state["name"]: state["is_ok"] for state in summary["endpoints"]} == dict.fromkeys(
        ("map", "wms", "wfs", "csw"), True
    )
    assert all(state["sent_at"] for state in summary["mails"])
    assert Path(summary["invoice"]["pdf"]).read_bytes().startswith(b"%PDF-")
