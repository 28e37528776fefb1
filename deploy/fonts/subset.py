"""Writes the fonts of the admin with what its pages show to `static/`, where they are found before those of Unfold.

Unfold brings Inter for several scripts and Material Symbols with 3,800 icons: 729 KiB of each first visit. Here are
Latin letters, and the icons whose names are in its code or ours. Run it after an upgrade of Unfold, or when a test
says that an icon is missing: `.venv/bin/python -m deploy.fonts.subset`.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parents[2]
UNFOLD = Path(str(files("unfold")))
SYMBOLS = "unfold/fonts/material-symbols/Material-Symbols-Outlined.woff2"
INTER = tuple(f"unfold/fonts/inter/Inter-{weight}.woff2" for weight in ("Regular", "Medium", "SemiBold", "Bold"))
ROOMS = ("live", "core", "customers", "products", "orders", "infrastructure", "monitoring", "billing", "templates")
# Basic Latin to Latin Extended-A, accents, quotes and dashes, currencies, arrows, signs.
LETTERS = (
    *range(0x20, 0x180),
    *range(0x2C6, 0x2DE),
    *range(0x2010, 0x2040),
    0x20AC,
    *range(0x2190, 0x2194),
    0x2212,
    0x2264,
    0x2265,
)
WORD = re.compile(r"""(?<=["'>}])\s*([a-z][a-z0-9_]+)\s*(?=["'<{])""")


def icons_in(font: TTFont) -> set[str]:
    """The names of the icons that the font draws for their written names."""
    return {name for name, _glyph in ligatures(font)}


def ligatures(font: TTFont) -> list[tuple[str, str]]:
    """Each name that is replaced by an icon, with the glyph of the icon."""
    table: Any = font["GSUB"].table
    written = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    found = []
    for lookup in table.LookupList.Lookup:
        for subtable in lookup.SubTable:
            for first, rest in getattr(getattr(subtable, "ExtSubTable", subtable), "ligatures", {}).items():
                for ligature in rest:
                    name = "".join(written.get(part, "?") for part in (first, *ligature.Component))
                    found.append((name, ligature.LigGlyph))
    return found


def icons_wanted() -> set[str]:
    """Every icon of Unfold's whose name is a word by itself in its code or ours: some too many, none too few."""
    paths = [path for folder in (UNFOLD, *(ROOT / room for room in ROOMS)) for path in folder.rglob("*")]
    sources = [path.read_text() for path in paths if path.suffix in (".py", ".html") and "tests" not in path.parts]
    words = {word for source in sources for word in WORD.findall(source)}
    return words & icons_in(TTFont(UNFOLD / "static" / SYMBOLS))


def write_symbols() -> None:
    """The symbols that are wanted, and the letters that their names are written with."""
    font = TTFont(UNFOLD / "static" / SYMBOLS)
    wanted = icons_wanted()
    drawn = {glyph for name, glyph in ligatures(font) if name in wanted}
    options = Options(layout_closure=False, layout_features=["*"], flavor="woff2", notdef_outline=True, hinting=False)
    subsetter = Subsetter(options)
    subsetter.populate(glyphs=drawn, unicodes=[ord(letter) for letter in "abcdefghijklmnopqrstuvwxyz0123456789_ "])
    _write(font, subsetter, SYMBOLS)


def write_letters(name: str) -> None:
    """Latin letters of one weight."""
    features = ["kern", "mark", "ccmp", "locl", "tnum", "calt"]
    subsetter = Subsetter(Options(flavor="woff2", hinting=False, layout_features=features))
    subsetter.populate(unicodes=LETTERS)
    _write(TTFont(UNFOLD / "static" / name), subsetter, name)


def _write(font: TTFont, subsetter: Subsetter, name: str) -> None:
    if "FFTM" in font:
        del font["FFTM"]  # when an editor of fonts wrote it
    subsetter.subset(font)
    font.flavor = "woff2"
    path = ROOT / "static" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    font.save(path)


if __name__ == "__main__":
    write_symbols()
    for weight_file in INTER:
        write_letters(weight_file)
