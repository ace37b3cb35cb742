"""The one settings file. Every value that an installation may change comes from the environment
(docs/configuration.md lists them); in production a missing or default secret stops the start."""

import hashlib
from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.utils.translation import gettext_lazy as _

from config import services
from config.env import (
    env_bool,
    env_database,
    env_email,
    env_int,
    env_list,
    env_secrets,
    env_signing_keys,
    env_str,
    env_url,
    production,
)

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(env_str("MALL_STATE", str(BASE_DIR / "var")))
PRODUCTION = production()
DEBUG = env_bool("DEBUG", False)
URLS = services.urls()

SECRET_KEY, *SECRET_KEY_FALLBACKS = env_secrets(
    "SECRET_KEY", development=["development-only-secret-key-0123456789"]
)

# Keys for sealed fields: the current one first, then those that older values were sealed with.
# A key's id is a digest of it, so that adding a key in front never renames the others.
FIELD_KEYS = {
    hashlib.sha256(key.encode()).hexdigest()[:8]: key.encode()
    for key in env_secrets("FIELD_KEYS", development=["development-only-field-key-0123456789"])
}

# What signs the journal's checkpoints; the database never holds it.
JOURNAL_KEYS = env_signing_keys("JOURNAL_KEYS", development=["development-only-journal-key-0123456789"])
# Where each company's checkpoints are written once, never to be changed: better another disk than the database's.
JOURNAL_ANCHORS = Path(env_str("JOURNAL_ANCHORS", str(VAR / "anchors")))

# --- Hosts -----------------------------------------------------------------------------------------------------------
# Which company a host leads to is decided by the Domain table; a host that is nobody's gets a 404.
PLATFORM_DOMAIN = env_str("PLATFORM_DOMAIN", "localhost")
ALLOWED_HOSTS = env_list(
    "ALLOWED_HOSTS", [] if PRODUCTION else [PLATFORM_DOMAIN, f".{PLATFORM_DOMAIN}", ".localhost"]
)
USE_X_FORWARDED_HOST = False
HTTPS = env_bool("HTTPS", PRODUCTION)
PUBLIC_PORT = env_int("PUBLIC_PORT", 443 if HTTPS else 8000)
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env_bool("HTTPS_REDIRECT", True)
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True

# --- Applications ----------------------------------------------------------------------------------------------------
_EVERYWHERE = [
    "django.contrib.contenttypes",
    "tenants.identity",
    "django.contrib.auth",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "benefits.journal",
]
SHARED_APPS = [
    "django_tenants",
    "tenants",
    *_EVERYWHERE,
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_cotton.apps.SimpleAppConfig",
    "django_htmx",
    "csp",
    "ninja",
    "benefits",
    "benefits.catalogue",
    "benefits.funds",
    "benefits.fulfilment",
    "reports",
    "reports.invoices",
]
TENANT_APPS = [
    *_EVERYWHERE,
    "benefits.people",
    "benefits.roster",
    "benefits.points",
    "benefits.campaigns",
    "benefits.orders",
    "benefits.approvals",
    "cms",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.sites",
    "wagtail.embeds",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]

TENANT_MODEL = "tenants.Company"
TENANT_DOMAIN_MODEL = "tenants.Domain"
# What each room does when a company opens; the floor cannot know the rooms that stand on it.
COMPANY_PUBLIC_PROVISIONERS = ["benefits.funds.operations.open_account"]
COMPANY_OBJECTIONS = ["benefits.points.operations.keep_rate"]  # asked before a company's facts change
COMPANY_PROVISIONERS = ["benefits.points.operations.open_books", "cms.operations.provision"]
AUTH_USER_MODEL = "identity.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SILENCED_SYSTEM_CHECKS: list[str] = []

MIDDLEWARE = [
    "tenants.middleware.health",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tenants.middleware.company",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.middleware.language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tenants.middleware.Access",
    "tenants.middleware.DomainErrors",
]

ROOT_URLCONF = "config.urls"
PUBLIC_SCHEMA_URLCONF = "config.urls_platform"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "django.templatetags.i18n",
                "django.templatetags.static",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tenants.context.company",
            ],
        },
    }
]
COTTON_DIR = "components"

# --- Data ------------------------------------------------------------------------------------------------------------
DATABASES = {
    "default": {
        **(database := env_database("DATABASE_URL", URLS.database)),
        "ENGINE": "django_tenants.postgresql_backend",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # a restarted database leaves the pool full of dead connections
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            **database["OPTIONS"],
            "pool": {
                "min_size": 0,
                "max_size": env_int("DATABASE_POOL", 12, least=1),
                "timeout": 15,
                # Its pauses double, so after an outage the pool would stay away about as long again.
                "reconnect_timeout": 5,
            },
        },
    }
}
# One `SET search_path` a change of company instead of one a query; the backend forgets it on rollback and close.
TENANT_LIMIT_SET_CALLS = True
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

CACHES = {
    "default": {
        "BACKEND": "tenants.cache.Cache",
        "LOCATION": env_url("CACHE_URL", URLS.cache, schemes=("redis", "rediss", "unix")),
        "KEY_FUNCTION": "django_tenants.cache.make_key",
    }
}

STORAGES = {
    "default": {"BACKEND": "tenants.storage.CompanyStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if env_bool("HASHED_STATIC", PRODUCTION)
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
MEDIA_ROOT = VAR / "media"
MEDIA_URL = "/media/"
MULTITENANT_RELATIVE_MEDIA_ROOT = "%s"
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 5
ROSTER_MAX_BYTES = env_int("ROSTER_MAX_BYTES", 20 * 1_048_576, least=1024)
ROSTER_UPLOADS_A_MINUTE = env_int("ROSTER_UPLOADS_A_MINUTE", 10, least=1)
ROSTER_LEAVER_SHARE = env_int("ROSTER_LEAVER_SHARE", 10, least=0, most=100)  # per cent
ROSTER_UNDO_DAYS = env_int("ROSTER_UNDO_DAYS", 7, least=0)
GRANT_AT_ONCE = env_int("GRANT_AT_ONCE", 2000, least=1)  # wallets in one act; a larger grant goes in steps
ROSTER_KEEP_DAYS = env_int("ROSTER_KEEP_DAYS", 90, least=1)
GOODWILL_ALONE_FEN = env_int("GOODWILL_ALONE_FEN", 200_00, least=0)

APPROVAL_DAYS = env_int("APPROVAL_DAYS", 7, least=1, most=365)

# --- Tasks -----------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env_url(
    "BROKER_URL", URLS.broker, schemes=("redis", "rediss", "redis+socket", "amqp", "amqps")
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "Asia/Shanghai"
# Rows are the queue and a task is only the bell; the sweeps find whatever a lost bell missed.
_EVERYONE = {"headers": {"schema": "public"}, "expires": 10}
# Runs that can last stand behind those that are short.
CELERY_TASK_ROUTES = {
    "benefits.send_due": {"priority": 9},
    "benefits.ask_due": {"priority": 9},
    "benefits.seal": {"priority": 9},
    "benefits.hand_out": {"priority": 9},
    "benefits.run_campaigns": {"priority": 9},
}
CELERY_BEAT_SCHEDULE = {
    "send what is due": {"task": "benefits.send_due", "schedule": 3.0, "options": _EVERYONE},
    "ask after what is open": {"task": "benefits.ask_due", "schedule": 2.0, "options": _EVERYONE},
    "settle what has an outcome": {"task": "benefits.sweep", "schedule": 3.0, "options": _EVERYONE},
    "make files that invoices lack": {
        "task": "reports.file_invoices",
        "schedule": 60.0,
        "options": _EVERYONE,
    },
    "seal what was written": {"task": "benefits.sweep_journals", "schedule": 5.0, "options": _EVERYONE},
    "find rosters that wait": {"task": "benefits.sweep_rosters", "schedule": 30.0, "options": _EVERYONE},
    "see to second signatures": {
        "task": "benefits.sweep_approvals",
        "schedule": 60.0,
        "options": {**_EVERYONE, "expires": 50},
    },
    "find grants that wait": {"task": "benefits.sweep_rehearsals", "schedule": 30.0, "options": _EVERYONE},
    "watch companies' funds": {"task": "benefits.watch_funds", "schedule": 300.0, "options": _EVERYONE},
    "do what the calendar says": {
        "task": "benefits.keep_house",
        "schedule": 3600.0,
        "options": {**_EVERYONE, "expires": 600},
    },
}

# --- People who sign in ----------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["benefits.people.login.Backend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "tenants.views.csrf_refused"
LANGUAGE_COOKIE_NAME = "language"
PASSWORD_RESET_TIMEOUT = 7 * 24 * 3600

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "tenants.identity.adapters.AccountAdapter"
MFA_ADAPTER = "tenants.identity.adapters.MFAAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
# A whole company may come from one address; the narrow limit is on a name from an address (tenants/identity/adapters.py).
ACCOUNT_RATE_LIMITS = {"login": "600/m/ip", "login_failed": "100/m/ip,5/10m/key"}
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Benefits Mall"

_MAIL = env_email("EMAIL_URL", "console://" if PRODUCTION else "file://")
EMAIL_BACKEND = _MAIL.backend
EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.starttls, _MAIL.tls
EMAIL_TIMEOUT = 20
EMAIL_FILE_PATH = VAR / "mail"
DEFAULT_FROM_EMAIL = env_str("FROM_EMAIL", f"no-reply@{PLATFORM_DOMAIN}")

# --- Language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [
    BASE_DIR / "locale" / area for area in ("portal", "company", "platform", "reports", "roster", "core")
]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# --- Content security policy: nothing from another host, nothing inline. Wagtail's admin needs inline parts. ------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
WAGTAIL_ADMIN_CSP = {
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "frame-ancestors": [SELF],
    "frame-src": [SELF],
    "base-uri": [SELF],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# --- Wagtail -----------------------------------------------------------------------------------------------------------
WAGTAIL_SITE_NAME = "Benefits Mall"
WAGTAILADMIN_BASE_URL = ""
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False
WAGTAILDOCS_SERVE_METHOD = "serve_view"
WAGTAILDOCS_INLINE_CONTENT_TYPES: list[str] = []  # every document is a download
WAGTAILDOCS_EXTENSIONS = ["pdf", "docx", "xlsx", "pptx", "txt"]
WAGTAILIMAGES_EXTENSIONS = ["png", "jpg", "jpeg", "webp"]
WAGTAILEMBEDS_FINDERS: list[dict[str, str]] = []
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAILADMIN_PERMITTED_LANGUAGES = LANGUAGES
WAGTAIL_USER_TIME_ZONES = [TIME_ZONE]  # one for everybody, so that the editor is not asked
WAGTAILADMIN_LOGIN_URL = "/accounts/login/"

# --- What the platform is, on invoices and in footers ------------------------------------------------------------------
PLATFORM_NAME = env_str("PLATFORM_NAME", "Benefits Mall")
ICP_NUMBER = env_str("ICP_NUMBER", "")
SELLER = {
    "name": env_str("SELLER_NAME", "福利商城平台有限公司"),
    "credit_code": env_str("SELLER_CREDIT_CODE", "91350100M000100Y43"),
    "address": env_str("SELLER_ADDRESS", "北京市朝阳区示例路 1 号"),
    "phone": env_str("SELLER_PHONE", "010-00000000"),
    "bank_name": env_str("SELLER_BANK_NAME", "示例银行北京分行"),
    "bank_account": env_str("SELLER_BANK_ACCOUNT", "0000 0000 0000 0000"),
}

# --- Delivery ----------------------------------------------------------------------------------------------------------
CALLBACK_BASE_URL = env_str("CALLBACK_BASE_URL", f"http://{PLATFORM_DOMAIN}:{PUBLIC_PORT}")
DELIVERY_IN_FLIGHT = env_int("DELIVERY_IN_FLIGHT", 64, least=1, most=1000)
DELIVERY_LEASE_SECONDS = env_int("DELIVERY_LEASE_SECONDS", 60, least=5)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "tenants.logs.Line"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env_str("LOG_LEVEL", "INFO")},
    "loggers": {"django.server": {"handlers": ["stderr"], "propagate": False}},
}
