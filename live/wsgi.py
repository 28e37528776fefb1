"""The WSGI door for gunicorn."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "live.settings")
application = get_wsgi_application()

from live.secrets_check import report_wrong_key  # noqa: E402  (needs the loaded apps)

report_wrong_key()
