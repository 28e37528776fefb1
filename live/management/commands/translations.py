"""Brings the catalogues of translations up to date."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from live.translations.catalogue import missing_translations, update_catalogue


class Command(BaseCommand):
    """The texts of today are in every catalogue, and each is compiled; what still has to be translated is listed."""

    help = "Update and compile the translations; exit code 1 while some are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Updates every language but English."""
        missing = []
        for language, _name in settings.LANGUAGES:
            if language != "en":
                update_catalogue(language)
                missing += [f"{language}: {text}" for text in missing_translations(language)]
        if missing:
            raise CommandError("Not translated yet:\n" + "\n".join(missing))
        self.stdout.write("Everything is translated.")
