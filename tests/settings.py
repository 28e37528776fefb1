"""Settings for the tests: the project's own, with nothing that reaches outside."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("SECRET_KEY", "only-for-the-tests-and-nowhere-else-0123456789abcdef")
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")
os.environ["EMAIL_URL"] = "memorymail://"
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="live-tests-")
os.environ["SITE_URL"] = "http://testserver"
os.environ["LOG_LEVEL"] = "WARNING"
os.environ["IDLE_TRANSACTION_TIMEOUT"] = "0"  # a test is one transaction, whatever else it waits for
for name in ("ZABBIX_URL", "ZABBIX_TOKEN", "ZABBIX_USER", "ZABBIX_PASSWORD", "ZABBIX_AGENT_SERVER"):
    os.environ[name] = ""
os.environ["VIES_URL"] = ""
for name in ("WHMCS_URL", "WHMCS_IDENTIFIER", "WHMCS_SECRET", "WHMCS_ACCESS_KEY", "WHMCS_WEBHOOK_SECRET"):
    os.environ[name] = ""

from live.settings import *  # noqa: E402, F403  (the environment comes first)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
CLOCK_OF_DATABASE = False  # the tests set the time themselves
