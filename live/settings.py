"""The one settings file; everything that differs between machines comes from the environment (see `.env.example`)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import django_stubs_ext
import environ

from live.staff.theme import UNFOLD as UNFOLD

django_stubs_ext.monkeypatch()  # lets `ModelAdmin[Order]` and its like be written

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# --- The site -------------------------------------------------------------------------------------------------------
SECRET_KEY = env("SECRET_KEY")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
SITE_URL = env("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
SITE_NAME = env("SITE_NAME", default="Geocat Live")
NUM_PROXIES = int(env.bool("BEHIND_PROXY", default=False))  # whose X-Forwarded-For names the caller
VAR_DIR = Path(env("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
SECRETS_KEYS = env.list("SECRETS_KEYS", default=[])  # Fernet keys, newest first; empty derives one from SECRET_KEY

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "live.staff.apps.StaffAdminConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "django_q",
    "import_export",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "core",
    "customers",
    "products",
    "orders",
    "infrastructure",
    "infrastructure.sandbox",
    "monitoring",
    "billing",
    "live",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "live.observability.logs.RequestIds",
    "live.health.Probes",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "live.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "live.accounts.staff_mfa.StaffMfaMiddleware",
    "live.accounts.support_views.SupportViewMiddleware",
    "live.portal.localisation.ViewersPlaceMiddleware",
    "live.request_rules.RequestRules",
    "live.api.rate_limit.RateLimitHeaders",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "live.urls"
WSGI_APPLICATION = "live.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "live.portal.context.site",
            ],
        },
    },
]

# knox's own token table is replaced by ours; made all the same, it would only stand in the way of emptying the users'.
MIGRATION_MODULES = {"knox": None}

# --- Database and queue ---------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'live.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers go on beside one writer; IMMEDIATE makes a writer wait its turn instead of failing half-way.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # The ORM broker is ten times faster over a connection that is kept (docs/decisions/0003).
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=600)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A machine that stands still within a transaction keeps its rows locked, and whoever wants one of them waits.
    if idle_seconds := env.int("IDLE_TRANSACTION_TIMEOUT", default=60):
        idle_option = f"-c idle_in_transaction_session_timeout={idle_seconds}s"
        DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", idle_option)
CLOCK_OF_DATABASE = True  # PostgreSQL's clock corrects that of a machine (core.engine.database_clock)

# Tries at signing in are counted here, so web processes have to share it; several machines need one between them.
CACHES = {"default": env.cache("CACHE_URL", default=f"filecache://{VAR_DIR / 'cache'}")}

TASK_TIMEOUT = env.int("TASK_TIMEOUT", default=900)  # seconds; the longest any task may take
WORKER_STALLED_AFTER = env.int("WORKER_STALLED_AFTER", default=120)  # seconds without a finished task while work is due
WORKER_GRACE = env.int("WORKER_GRACE", default=30)  # seconds that tasks may take to end after SIGTERM
LAUNCH_TIMEOUT = env.int("LAUNCH_TIMEOUT", default=900)  # seconds; one launch of a composition, builds included
PREPARE_TIMEOUT = env.int("PREPARE_TIMEOUT", default=3600)  # seconds for the images of a changed order, before that
CHANGE_TIMEOUT = env.int("CHANGE_TIMEOUT", default=300)  # seconds for a changed order to pass its checks, or go back
LAUNCHES_AT_ONCE = env.int("LAUNCHES_AT_ONCE", default=8)  # on one worker machine
DOCKER_HOST = env.str("DOCKER_HOST", default="")  # the engine of the provider "this machine"; empty: its own socket
REQUEUE_AFTER = env.int("REQUEUE_AFTER", default=60)  # seconds; a message on the queue for longer is taken for lost
# What this machine's workers serve, most urgent first; docs/operators/scaling.md says when to give a queue its own.
QUEUES = env.list("QUEUES", default=["live", "readings", "documents"])
Q_CLUSTER = {
    "name": "live",
    "orm": "default",
    "broker_class": "core.engine.broker.QueueBroker",
    "workers": env.int("WORKERS", default=2),
    "timeout": TASK_TIMEOUT,
    "retry": TASK_TIMEOUT + 60,
    "ack_failures": True,  # our rows decide about another attempt; the queue only delivers
    "catch_up": False,
    "bulk": 10,
    "poll": env.float("QUEUE_POLL", default=0.2),
    "save_limit": -1,  # at a limit above 0 every task locks and loads all saved results; failures are always saved
    "max_attempts": 1,
}

# --- People ---------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "customers.User"
INVITATION_DAYS = env.int("INVITATION_DAYS", default=7)  # how long the link of an invitation works
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "live.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # nobody signs up; the password is what gives staff a field for it
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by staff; a sign-in code proves the address
ACCOUNT_EMAIL_NOTIFICATIONS = True  # whoever changes how an account is entered is told so by mail
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600  # mail may be slow
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/300s/key",
    "request_login_code": "20/m/ip,3/m/key",
    "reauthenticate": "10/m/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT = NUM_PROXIES
MFA_ADAPTER = "live.accounts.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # telephones' clocks drift
SESSION_ENGINE = "live.sealed_sessions"  # a sign-in code waits in the session until it is typed
SESSION_COOKIE_AGE = 14 * 24 * 3600

IMPORT_EXPORT_TMP_STORAGE_CLASS = "import_export.tmp_storages.CacheStorage"  # between preview and import

# --- Language and time ----------------------------------------------------------------------------------------------
TERMS_URL = env("TERMS_URL", default="")  # the terms that customers agree to when they place an order
LANGUAGE_CODE = "en-gb"
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGES = [("en", "English"), ("nl", "Nederlands")]  # only what is translated completely (manage.py translations)
TIME_ZONE = env("TIME_ZONE", default="Europe/Amsterdam")
USE_TZ = True
FORMAT_MODULE_PATH = ["live.formats"]

# --- Files ----------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = VAR_DIR / "files"
WHITENOISE_USE_FINDERS = DEBUG  # elsewhere `manage.py setup` collects them, compressed and named by their content
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "live.static_files.StaticFilesStorage"},
}

# --- Security -------------------------------------------------------------------------------------------------------
HTTPS = env.bool("HTTPS", default=SITE_URL.startswith("https://"))
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", default=HTTPS)  # staff without MFA can only set it up
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if NUM_PROXIES else None
CSRF_TRUSTED_ORIGINS = [SITE_URL]
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
# Everything we show is a file of ours: no inline script or style, no frame, no other host.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # data: is the QR code of an authenticator app
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    },
}
# Pages that others wrote: the admin's Alpine evaluates expressions, Swagger starts with an inline script.
CONTENT_SECURITY_RELAXED_AT = ("/admin/", "/api/docs/")
CONTENT_SECURITY_RELAXED = {
    **CONTENT_SECURITY_POLICY["DIRECTIVES"],
    "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}

# --- Mail -----------------------------------------------------------------------------------------------------------
globals().update(env.email("EMAIL_URL", default=f"filemail:///{VAR_DIR / 'mail'}"))
if globals()["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
    EMAIL_BACKEND = "customers.smtp.SmtpBackend"  # notes the recipients that the server refuses
EMAIL_TIMEOUT = 20
MAIL_BOUNCES_TO = env.str("MAIL_BOUNCES_TO", default="")  # envelope sender; empty: that of DEFAULT_FROM_EMAIL
MAIL_WEBHOOK_SECRET = env.str("MAIL_WEBHOOK_SECRET", default="")  # signs reports pushed to /hooks/mail/; empty: none
MAIL_STOP_AFTER_BOUNCES = env.int("MAIL_STOP_AFTER_BOUNCES", default=3)  # messages that came back for good
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <live@localhost>")

# --- API ------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": (
        "live.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ),
    "DEFAULT_PERMISSION_CLASSES": ("rest_framework.permissions.IsAuthenticated",),
    "DEFAULT_RENDERER_CLASSES": ("rest_framework.renderers.JSONRenderer",),
    "DEFAULT_PARSER_CLASSES": ("live.api.parsing.BoundedJSONParser",),
    "DEFAULT_SCHEMA_CLASS": "live.api.schema.Schema",
    "DEFAULT_PAGINATION_CLASS": "live.api.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": (
        "django_filters.rest_framework.DjangoFilterBackend",
        "live.api.search.WordSearch",
    ),
    "DEFAULT_THROTTLE_CLASSES": ("live.api.rate_limit.RateLimit",),
    "DEFAULT_THROTTLE_RATES": {"user": env("API_RATE", default="600/min")},  # per user; per address when not signed in
    "NUM_PROXIES": NUM_PROXIES,  # 0: a caller's own X-Forwarded-For counts for nothing
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS would tell half of what the schema tells
    "EXCEPTION_HANDLER": "live.api.problems.handle",
}
API_TOKEN_DAYS = env.int("API_TOKEN_DAYS", default=365)  # how long a new token works
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_TTL": timedelta(days=API_TOKEN_DAYS),
    "TOKEN_PREFIX": "gcl_",  # so that secret scanners and people recognise one
}
KNOX_TOKEN_MODEL = "customers.ApiToken"  # noqa: S105  (a model, not a password)
SPECTACULAR_SETTINGS = {
    "TITLE": "Geocat Live",
    "DESCRIPTION": "Customers, products and orders, and everything that hangs on them.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "CustomerState": "customers.models.Customer.State",
        "ProductState": "products.models.Product.State",
        "PlanState": "products.models.Plan.State",
        "OrderState": "orders.choices.State",
        "OrderPart": "orders.choices.Part",
        "PartState": "orders.choices.PartState",
        "Wanted": "orders.choices.Wanted",
        "CheckState": "monitoring.choices.CheckState",
        "IncidentState": "monitoring.choices.IncidentState",
        "SubscriptionState": "billing.models.Subscription.State",
        "InvoiceState": "billing.models.Invoice.State",
    },
}

# --- Catalogue ------------------------------------------------------------------------------------------------------
# With GITLAB_URL and GITLAB_PROJECT the catalogue is a project on GitLab; else CATALOGUE_URL counts.
GITLAB_URL = env("GITLAB_URL", default="")
GITLAB_TOKEN = env("GITLAB_TOKEN", default="")
GITLAB_PROJECT = env("GITLAB_PROJECT", default="")
GITLAB_WEBHOOK_SECRET = env("GITLAB_WEBHOOK_SECRET", default="")
CATALOGUE_URL = env("CATALOGUE_URL", default=str(BASE_DIR / "catalogue"))

# --- WHMCS ----------------------------------------------------------------------------------------------------------
WHMCS_URL = env("WHMCS_URL", default="")  # empty: customers are kept here alone
WHMCS_IDENTIFIER = env("WHMCS_IDENTIFIER", default="")
WHMCS_SECRET = env("WHMCS_SECRET", default="")
WHMCS_ACCESS_KEY = env("WHMCS_ACCESS_KEY", default="")  # where WHMCS does not allow this machine's address
WHMCS_WEBHOOK_SECRET = env("WHMCS_WEBHOOK_SECRET", default="")  # empty: hooks are not taken

# --- VIES: whether VAT ids are in use; asked in the name of SELLER_VAT_ID
VIES_URL = env("VIES_URL", default="https://ec.europa.eu/taxation_customs/vies/rest-api")  # empty: nothing is asked
VAT_CHECK_DAYS = env.int("VAT_CHECK_DAYS", default=30)  # an answer counts for so long, then VIES is asked again

# --- Addresses that people give us: redirects of checks, webhooks, catalogues. Public ones are reached; of private
# networks only these ranges. The address of an order's own endpoint may always be private.
ALLOWED_PRIVATE_RANGES = env.list("ALLOWED_PRIVATE_RANGES", default=[])

WEBHOOKS_OVER_HTTP = env.bool("WEBHOOKS_OVER_HTTP", default=False)  # else webhooks of customers take https only

# --- Alerts to staff: mail is chosen on each user's page, the webhook here -------------------------------------------
STAFF_WEBHOOK_URL = env("STAFF_WEBHOOK_URL", default="")
STAFF_WEBHOOK_SECRET = env("STAFF_WEBHOOK_SECRET", default="")  # whsec_ and 24 to 64 bytes in base64

# --- Monitoring -----------------------------------------------------------------------------------------------------
ZABBIX_URL = env("ZABBIX_URL", default="")  # empty: the built-in checker watches
ZABBIX_TOKEN = env("ZABBIX_TOKEN", default="")
ZABBIX_USER = env("ZABBIX_USER", default="")
ZABBIX_PASSWORD = env("ZABBIX_PASSWORD", default="")
ZABBIX_SEVERITY = env("ZABBIX_SEVERITY", default="high")  # of the alarm that an address raises
ZABBIX_CERTIFICATE_AGENT = env("ZABBIX_CERTIFICATE_AGENT", default="")  # host:port of an agent 2; empty: workers ask
ZABBIX_AGENT_SERVER = env("ZABBIX_AGENT_SERVER", default="")  # empty: new servers get no agent
ZABBIX_WEBHOOK_SECRET = env("ZABBIX_WEBHOOK_SECRET", default="")  # empty: pushes are not taken
INCIDENT_GRACE_MINUTES = env.int("INCIDENT_GRACE_MINUTES", default=3)  # down for that long, and customers are told
INCIDENT_CALM_MINUTES = env.int("INCIDENT_CALM_MINUTES", default=10)  # well for that long, and they are told again
CERTIFICATE_WARN_DAYS = env.int("CERTIFICATE_WARN_DAYS", default=30)  # an order's page is orange from then on
CERTIFICATE_TROUBLE_DAYS = env.int("CERTIFICATE_TROUBLE_DAYS", default=14)  # and red from then on
MAIL_MONTHLY_REPORTS = env.bool("MAIL_MONTHLY_REPORTS", default=True)  # where the plan promises an availability

# --- Billing --------------------------------------------------------------------------------------------------------
SELLER = {  # copied into every invoice as it is issued: billing.invoice_document.Party
    "name": env("SELLER_NAME", default=""),
    "street": env("SELLER_STREET", default=""),
    "postal_code": env("SELLER_POSTAL_CODE", default=""),
    "city": env("SELLER_CITY", default=""),
    "country": env("SELLER_COUNTRY", default="NL"),
    "vat_id": env("SELLER_VAT_ID", default=""),
    "company_number": env("SELLER_COMPANY_NUMBER", default=""),
    "email": env("SELLER_EMAIL", default=""),
    "website": env("SELLER_WEBSITE", default=""),
}
SELLER_LOGO = env("SELLER_LOGO", default="")  # an SVG or PNG file; empty: name and mark of this software
SELLER_ACCOUNT = {
    "iban": env("SELLER_IBAN", default=""),
    "bic": env("SELLER_BIC", default=""),
    "account_holder": env("SELLER_ACCOUNT_HOLDER", default=SELLER["name"]),
}
INVOICE_SERIES = env("INVOICE_SERIES", default="")  # stands before the year: `A-` gives A-2026-00001
CREDIT_NOTE_SERIES = env("CREDIT_NOTE_SERIES", default="C-")
PAYMENT_DAYS = env.int("PAYMENT_DAYS", default=14)
PRICE_NOTICE_DAYS = env.int("PRICE_NOTICE_DAYS", default=30)  # a higher price is announced at least so long ahead
CREDIT_REST_ON_END = env.bool("CREDIT_REST_ON_END", default=False)  # days paid ahead are credited at the end
SUSPEND_UNPAID = env.bool("SUSPEND_UNPAID", default=False)  # as the reminder plan says
RESUME_ON_PAYMENT = env.bool("RESUME_ON_PAYMENT", default=True)  # what was suspended for an unpaid invoice
BILLING_BY = env("BILLING_BY", default="live")  # or `whmcs`: then nothing is invoiced here
SEPA_CREDITOR_ID = env("SEPA_CREDITOR_ID", default="")  # empty: no direct debits

# --- Logging --------------------------------------------------------------------------------------------------------
LOG_FORMAT = env("LOG_FORMAT", default="text")  # or json: one object a line
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "live.observability.logs.ContextFilter"}},
    "formatters": {
        "text": {
            "()": "live.observability.logs.LineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{levelname}{name}{message}",
            "style": "{",
            "timestamp": "time",
            "rename_fields": {"levelname": "level", "name": "logger"},
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["context"]}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", default="INFO")},
    # The first logs each message that is queued, taken and done, where our own log names the order and what happened to
    # it; the second logs seven steps of each PDF.
    "loggers": {"django-q": {"level": "WARNING"}, "weasyprint.progress": {"level": "WARNING"}},
}
METRICS_TOKEN = env("METRICS_TOKEN", default="")  # empty: there is no /metrics
