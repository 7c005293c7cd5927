"""Settings: values only. What may differ between installations comes from `environment.py`, which judges it first."""

import re
from pathlib import Path
from typing import Any

from leadscenter import logs
from leadscenter.environment import POSTGRES, SQLITE, Database, read_or_stop

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = read_or_stop(BASE_DIR)
VAR_DIR = ENVIRONMENT.state_folder

# -- What this installation is
SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
PUBLIC_URL = ENVIRONMENT.public_url
LEADS_KEY_FILE = str(ENVIRONMENT.leads_key_file)
TERMS_VERSION = "2026-11"
OUTBOUND_ALLOWED_HOSTS = ENVIRONMENT.outbound_allowed_hosts
TRUSTED_PROXIES = ENVIRONMENT.trusted_proxies
COUNTRY_HEADER = ENVIRONMENT.country_header  # its name in META; empty: nobody says where a request comes from
SENTRY_DSN = ENVIRONMENT.sentry_dsn
OVER_TLS = PUBLIC_URL.startswith("https://")

# -- Apps, in the order of the house: ours last, from the ground floor up
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.humanize",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_filters",
    "allauth",
    "leadscenter.apps.SignInConfig",
    "allauth.mfa",
    "allauth.usersessions",
    "django_cotton",
    "leadscenter.apps.LeadsCenterConfig",
    "accounts",
    "forms_builder",
    "campaigns",
    "leads.vault",
    "leads",
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "leadscenter.urls"
WSGI_APPLICATION = "leadscenter.wsgi.application"

# -- The way in: the frame is for every request, the console's chain is not for people who fill forms
MIDDLEWARE = ["leadscenter.middleware.Frame", "leadscenter.middleware.Console"]
CONSOLE_MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.second_factor.SecondFactor",
    "accounts.zones.PersonalZone",
    "accounts.refusals.Refusals",
]
CONSOLE_STEPS_ASIDE_FOR = ("/f/", "/api/v1/public/", "/healthz/")
PUBLIC_INTAKE = ("/f/", "/api/v1/public/")
PUBLIC_INTAKE_BYTES = 256 * 1024
REQUEST_BYTES = 10 * 1024 * 1024
# A file of leads on its way in (docs/import.md) may be larger; 1 MiB is for what stands around it.
UPLOADS = re.compile(r"/(l|api/v1/libraries)/\d+/imports/(new/)?")
UPLOAD_BYTES = 21 * 1024 * 1024
# No upload may touch the disk before it is sealed: Django's own second handler writes large ones to /tmp.
FILE_UPLOAD_HANDLERS = ["leadscenter.uploads.InMemory"]
DATA_UPLOAD_MAX_MEMORY_SIZE = REQUEST_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
SILENCED_SYSTEM_CHECKS = [
    # These look for their middleware in MIDDLEWARE itself; leadscenter.checks asks the same of the console's chain.
    *("admin.E408", "admin.E409", "admin.E410", "security.W001", "security.W002", "security.W003"),
    "guardian.W001",  # user.has_perm() would let superusers through; accounts.access is the only door to guardian
]

# -- Databases: one by default; a region that has a URL of its own lives under its own alias
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA mmap_size=134217728;"
        "PRAGMA journal_size_limit=27103364;PRAGMA cache_size=-20000;PRAGMA temp_store=MEMORY;"
    ),
}
POSTGRES_OPTIONS = {
    # A web transaction ends within 5 s, so that readers who stay 10 s behind now never miss a late commit. Statements
    # that end within milliseconds gain nothing from being compiled or shared out to more processes.
    "options": "-c jit=off -c max_parallel_workers_per_gather=0"
    f" -c statement_timeout={ENVIRONMENT.statement_timeout} -c lock_timeout=5000"
    f" -c idle_in_transaction_session_timeout={ENVIRONMENT.statement_timeout or 60_000}"
}


def _database(alias: str, config: Database) -> Database:
    extra = SQLITE_OPTIONS if config["ENGINE"] == SQLITE else POSTGRES_OPTIONS
    shared: Database = {
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # a pooler in transaction mode stands between, or may one day
        "OPTIONS": {**extra, **config.get("OPTIONS", {})},
    }
    if config["ENGINE"] == SQLITE:
        # A file, not memory: threads of one test then meet the locks that they would meet in earnest.
        shared["TEST"] = {"NAME": str(VAR_DIR / "test" / f"{alias}.sqlite3")}
    return {**config, **shared}


DATABASES = {"default": _database("default", ENVIRONMENT.database)}
VAULT_ALIASES = {"eu": "default", "us": "default", "row": "default"}
for _region, _config in ENVIRONMENT.vault_databases.items():
    _twin = next((r for r, c in ENVIRONMENT.vault_databases.items() if c == _config), _region)
    VAULT_ALIASES[_region] = f"vault_{_twin}"
    DATABASES[f"vault_{_twin}"] = _database(f"vault_{_twin}", _config)
DATABASE_ROUTERS = ["leads.vault.regions.VaultRouter"]
ON_POSTGRES = ENVIRONMENT.database["ENGINE"] == POSTGRES

# -- Broker and cache: Redis where there is one, else files and the database
REDIS_URL = ENVIRONMENT.redis_url
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "holdfast",
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}
}
CELERY_BROKER_URL = REDIS_URL or "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        "visibility_timeout": 2400,  # longer than the longest task
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
    }
    if REDIS_URL
    else {
        "data_folder_in": str(VAR_DIR / "broker" / "queue"),
        "data_folder_out": str(VAR_DIR / "broker" / "queue"),
        "control_folder": str(VAR_DIR / "broker" / "control"),
    }
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 2}
# Whoever makes files is at it for minutes: workers of their own (`--queues files`), so that deliveries and the notary
# are never behind them. A worker without --queues takes both.
CELERY_TASK_QUEUES: dict[str, dict[str, str]] = {"celery": {}, "files": {}}
CELERY_TASK_ROUTES = {"leads.run_exports": {"queue": "files"}, "leads.run_imports": {"queue": "files"}}
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")
# A tick that nobody took within its time is dropped: the next one is under way. Nothing waits for longer than an hour,
# since a scheduler that starts anew counts anew. Ticks for files outlast the work on one, so that exports and imports
# take turns.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "drain": {"task": "leads.crm.drain", "schedule": 1.0, "options": {"expires": 1}},
    "seal_trail": {"task": "accounts.seal_trail", "schedule": 1.0, "options": {"expires": 1}},
    "run_exports": {"task": "leads.run_exports", "schedule": 2.0, "options": {"expires": 300}},
    "run_imports": {"task": "leads.run_imports", "schedule": 2.0, "options": {"expires": 300}},
    "expire_exports": {"task": "leads.expire_exports", "schedule": 10.0, "options": {"expires": 10}},
    "expire_imports": {"task": "leads.expire_imports", "schedule": 60.0, "options": {"expires": 60}},
    "mark_downloaded": {"task": "leads.mark_downloaded", "schedule": 60.0, "options": {"expires": 60}},
    "roll_up_measures": {"task": "forms_builder.roll_up_measures", "schedule": 60.0, "options": {"expires": 60}},
    "purge_expired": {"task": "leads.purge_expired", "schedule": 3600.0, "options": {"expires": 3600}},
    "make_keys": {"task": "vault.make_keys", "schedule": 3600.0, "options": {"expires": 3600}},
    "sweep_arriving": {"task": "intake.sweep_arriving", "schedule": 60.0, "options": {"expires": 60}},
    "mail_heads": {"task": "leads.mail_heads", "schedule": 3600.0, "options": {"expires": 3600}},
    "watch_reading": {"task": "leads.watch_reading", "schedule": 60.0, "options": {"expires": 60}},
    "tell": {"task": "leads.tell", "schedule": 3.0, "options": {"expires": 3}},
    "mail_notifications": {"task": "leads.mail_notifications", "schedule": 5.0, "options": {"expires": 5}},
    "warn_of_expiry": {"task": "leads.warn_of_expiry", "schedule": 3600.0, "options": {"expires": 3600}},
    "find_duplicates": {"task": "leads.find_duplicates", "schedule": 3.0, "options": {"expires": 3}},
    "walk_attention": {"task": "leads.walk_attention", "schedule": 10.0, "options": {"expires": 10}},
    "recover": {"task": "accounts.recover", "schedule": 3600.0, "options": {"expires": 600}},
    "mail_asks": {"task": "accounts.mail_asks", "schedule": 5.0, "options": {"expires": 5}},
    "expire_transfers": {"task": "accounts.expire_transfers", "schedule": 3600.0, "options": {"expires": 600}},
}

# -- People, sessions, sign-in
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.second_factor.Backend"]
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "accounts.sign_in.AccountAdapter"
ACCOUNT_FORMS = {"reset_password": "accounts.sign_in.ResetForm"}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CHANGE_EMAIL = True  # one address; a new one counts when its link was followed, and the old one is told
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",  # key: the address however it is spelled, or who is asked for a code
    "reset_password": "20/m/ip,3/10m/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
    "manage_email": "5/10m/user",
    "confirm_email": "1/3m/key",
    "reauthenticate": "10/m/user",
    "signup": "20/m/ip",
}
MFA_ADAPTER = "accounts.sign_in.FactorAdapter"
MFA_FORMS = {"activate_totp": "accounts.sign_in.ActivateForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody registers: a person's first address is verified, a second one waits
MFA_TOTP_TOLERANCE = 0  # a code lives one period, as long as it is remembered as used
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG  # passkeys at http://localhost
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_NAME = "__Host-session" if OVER_TLS else "session"
SESSION_COOKIE_SECURE = OVER_TLS
CSRF_COOKIE_NAME = "__Host-csrf" if OVER_TLS else "csrf"
CSRF_COOKIE_SECURE = OVER_TLS
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# -- What every answer says about itself
SECURE_SSL_REDIRECT = OVER_TLS
SECURE_REDIRECT_EXEMPT = [r"^healthz/"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if OVER_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = OVER_TLS
SECURE_HSTS_PRELOAD = OVER_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"

# -- API
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",  # first, so that the anonymous get 401 and not 403
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.Declared"],
    "EXCEPTION_HANDLER": "accounts.refusals.exception_handler",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser", "rest_framework.parsers.MultiPartParser"],
    "DEFAULT_SCHEMA_CLASS": "accounts.openapi.Described",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Holdfast",
    "DESCRIPTION": "REST API of this Leads Center. Ids are decimal strings; problems follow RFC 9457.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "AccountRole": "accounts.models.AccountRole",
        "BusinessCenterRole": "accounts.models.BusinessCenterRole",
        "BusinessCenterTwoFactor": "accounts.models.BusinessCenter.TwoFactor",
        "CampaignStatus": "campaigns.models.Status",
        "FormStatus": "forms_builder.models.Form.Status",
        "FormVersionStatus": "forms_builder.models.FormVersion.Status",
        "LeadStatus": "leads.models.Lead.Status",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "leads.intake.openapi.describe_public_routes",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# -- Pages, languages, files
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
            ],
            "builtins": ["leadscenter.templatetags.display"],  # components evaluate attributes by themselves
        },
    },
    {
        "NAME": "compiled",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates" / "compiled"],
        "OPTIONS": {"environment": "leadscenter.jinja.environment"},
    },
]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # the console speaks what it is translated to; forms speak their own language
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    },
}

# -- Mail
EMAIL_BACKEND = ENVIRONMENT.email.get("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_HOST = ENVIRONMENT.email.get("EMAIL_HOST", "")
EMAIL_PORT = ENVIRONMENT.email.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = ENVIRONMENT.email.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = ENVIRONMENT.email.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = ENVIRONMENT.email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = ENVIRONMENT.email.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = ENVIRONMENT.email.get("EMAIL_FILE_PATH")
EMAIL_TIMEOUT = 15

# -- Logs: one line per request and event; no query string, no body, no text of an exception
LOGGING = logs.configuration(for_people=DEBUG)
