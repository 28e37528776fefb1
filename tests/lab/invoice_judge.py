"""Judges many documents in one process, with the Python of the validators: `invoice_judge.py KIT FOLDER`.

FOLDER holds NAME.ubl.xml of each document with NAME.cii.xml or NAME.pdf. Prints what the judge says against any.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main(kit: str, folder: str) -> int:
    """0 when every document is valid, legal, and says the same in each of its files; 1 otherwise."""
    sys.path.insert(0, kit)
    judge = importlib.import_module("check_invoice")
    reports = []
    for ubl in sorted(Path(folder).glob("*.ubl.xml")):
        name = ubl.name.removesuffix(".ubl.xml")
        others = [path for suffix in (".cii.xml", ".pdf") if (path := ubl.with_name(name + suffix)).exists()]
        reports.append(judge.check_file(ubl, legal=True))
        reports += [judge.check_file(path, legal=True, visible=True, same_as=ubl) for path in others]
    for report in reports:
        for error in report.errors:
            print(report.path, error)  # noqa: T201
    print(len(reports), "judged")  # noqa: T201
    return int(not reports or any(report.errors for report in reports))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
