"""How static files are stored: named by their content, so that browsers keep them, and compressed once."""

from __future__ import annotations

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Nothing on this site asks for these, and they are most of what the packages bring along.
NOT_COLLECTED = ("redoc", "rest_framework", "swagger-ui-es-*", "swagger-ui.js*", "*.txt")


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Compressed with gzip alone: Brotli's best level takes minutes at set-up for a tenth of the size."""

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """What writes the compressed files."""
        return Compressor(use_brotli=False, **kwargs)
