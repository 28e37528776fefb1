"""How static files are stored: named by their content, so that browsers keep them, and compressed once."""

from __future__ import annotations

from typing import Any

from whitenoise.compress import Compressor  # type: ignore[import-untyped]
from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]

# Nothing on this site asks for these, and they are most of what the packages bring along.
NOT_COLLECTED = ("redoc", "rest_framework", "swagger-ui-es-*", "swagger-ui.js*", "*.txt")


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Compressed with gzip alone: Brotli's best level takes minutes at set-up for a tenth of the size."""

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """What writes the compressed files."""
        return Compressor(use_brotli=False, **kwargs)
