"""Fails unless the catalogue can count its records."""

from __future__ import annotations

from urllib.request import urlopen

HITS = "service=CSW&version=2.0.2&request=GetRecords&typenames=csw:Record&resulttype=hits&elementsetname=brief"

with urlopen(f"http://127.0.0.1:8000/?{HITS}", timeout=8) as answer:
    if b"numberOfRecordsMatched" not in answer.read():
        raise SystemExit("the catalogue cannot count its records")
