"""The engine's own cost of an order, against the bare queue running the same number of no-op tasks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.bench

ROOT = Path(__file__).parents[2]
ORDERS = 60


def test_engine_costs_a_few_no_ops_per_order(tmp_path: Path) -> None:
    surroundings = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "live.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path}/live.sqlite3",
        "EMAIL_URL": f"filemail:///{tmp_path}/mail",
        "VAR_DIR": str(tmp_path),
        "WORKERS": "2",
    }
    program = [sys.executable, "-m", "tests.bench.engine", str(ORDERS)]
    ran = subprocess.run(program, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False, timeout=900)
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["active"] == ORDERS
    tasks, engine, floor = found["tasks"], found["engine"], found["floor"]
    print(f"\nfloor: two workers run {tasks} no-op tasks in {floor:.2f} s, {1000 * floor / tasks:.1f} ms each")  # noqa: T201
    print(  # noqa: T201  (a benchmark speaks)
        f"engine: {ORDERS} orders from placed to active and invoiced in {engine:.2f} s, {1000 * engine / ORDERS:.0f} ms"
        f" and {tasks / ORDERS:.1f} tasks each: {engine / floor:.1f} times the floor"
    )
