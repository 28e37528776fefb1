"""The first page of a PDF as a picture, by PDFium: https://pypdfium2.readthedocs.io/"""

from __future__ import annotations

import io

WIDTH = 620  # pixels


def first_page_png(pdf: bytes, *, width: int = WIDTH) -> bytes | None:
    """The first page as PNG, so many pixels wide; None for a file that PDFium cannot read."""
    import pypdfium2  # 10 MB of PDFium: only workers that render load it

    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError:
        return None
    try:
        page = document[0]
        picture = page.render(scale=width / page.get_width()).to_pil()
        out = io.BytesIO()
        picture.convert("P", palette=1, colors=64).save(out, format="PNG", optimize=True)
        return out.getvalue()
    finally:
        document.close()
