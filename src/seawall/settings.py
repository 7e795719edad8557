"""Every setting is one environment variable that starts with SEAWALL_, checked here, at start.

docs/operating/settings.md lists them for operators; a test keeps the two the same.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from seawall.lib import signatures
from seawall.site import languages


def _flag(name: str) -> bool:
    value = os.environ.get(name, "")
    if value not in {"", "0", "1"}:
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to 1, or leave it out.")
    return value == "1"


def _number(name: str, default: int, least: int, most: int) -> int:
    value = os.environ.get(name, str(default))
    if not (value.isascii() and value.isdigit() and len(value) <= 9 and least <= int(value) <= most):  # noqa: PLR2004 - digits of a number nobody needs
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to a whole number from {least} to {most}.")
    return int(value)


def _public_key(name: str) -> bytes:
    value = os.environ.get(name, "")
    if value and not (re.fullmatch("[0-9a-f]{64}", value) and signatures.is_public_key(bytes.fromhex(value))):
        raise ImproperlyConfigured(
            f"{name} is no Ed25519 public key. Set it to the 64 hex digits that `seawall roster new-root` showed."
        )
    return bytes.fromhex(value)


def _blobs(data: Path) -> dict[str, object]:
    """Where the locker's sealed files lie: a folder, or a bucket that the usual AWS_ variables lead to."""
    value = os.environ.get("SEAWALL_BLOBS", "")
    if not value:
        return {"BACKEND": "seawall.evidence.storage.Folder", "OPTIONS": {"location": data / "blobs"}}
    found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,62})(?:/([\w./-]*))?", value, re.ASCII)
    if not found:
        raise ImproperlyConfigured(f"SEAWALL_BLOBS is {value!r}. Write s3://BUCKET/PREFIX, or leave it out.")
    bucket, prefix = found.groups(default="")
    return {
        "BACKEND": "seawall.evidence.bucket.Bucket",
        "OPTIONS": {"bucket_name": bucket, "location": prefix.strip("/")},
    }


def _authorities() -> tuple[str, ...]:
    """The addresses of the time-stamping authorities."""
    urls = tuple(url.strip() for url in os.environ.get("SEAWALL_TSA_URLS", "").split(",") if url.strip())
    if len(urls) > 2 or not all(re.fullmatch(r"https?://[!-~]+", url) for url in urls):  # noqa: PLR2004 - one, and one in case
        raise ImproperlyConfigured("SEAWALL_TSA_URLS takes one or two addresses, with a comma between them.")
    return urls


def _secret_key(data: Path) -> str:
    """The key that signs feed cursors: from SEAWALL_SECRET_KEY, or made once and kept beside the data."""
    if given := os.environ.get("SEAWALL_SECRET_KEY"):
        if len(given) < 32:  # noqa: PLR2004 - 32 characters of hex are 128 bits
            raise ImproperlyConfigured("SEAWALL_SECRET_KEY is short. Use 32 random characters or more.")
        return given
    path = data / "secret.key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text()


DATA = Path(os.environ.get("SEAWALL_DATA", "data")).resolve()
try:
    DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"SEAWALL_DATA is {DATA}, where nothing can be written: {error}.") from error

SECRET_KEY = _secret_key(DATA)
DEBUG = False
BEHIND_PROXY = _flag("SEAWALL_BEHIND_PROXY")
ALLOWED_HOSTS = [
    host.strip() for host in os.environ.get("SEAWALL_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if host.strip()
]
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "seawall.accounts",
    "seawall.cases",
    "seawall.directory",
    "seawall.evidence",
    "seawall.exchange",
    "seawall.guide",
    "seawall.protect",
    "seawall.site",
]
MIDDLEWARE = [
    "seawall.accounts.middleware.staff_headers",
    "seawall.site.middleware.headers",
    "seawall.site.middleware.compressed",
    "seawall.site.middleware.easy_read",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "seawall.site.middleware.language",
    "django.middleware.common.CommonMiddleware",
    "seawall.accounts.middleware.Sessions",
    "seawall.accounts.middleware.Csrf",
    "seawall.accounts.middleware.Authentication",
    "seawall.accounts.middleware.Messages",
    "seawall.site.middleware.same_site",
]
ROOT_URLCONF = "seawall.urls"
WSGI_APPLICATION = "seawall.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                # Django's admin insists on these two; they ask nothing where nobody signed in.
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]

# SQLite: writers queue (IMMEDIATE + busy timeout) instead of failing midway; FULL survives a power cut;
# secure_delete overwrites what a withdrawal erases.
_SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON",
}
_database_url = os.environ.get("SEAWALL_DATABASE_URL", f"sqlite:///{DATA / 'seawall.sqlite3'}")
try:
    _database = dj_database_url.parse(_database_url, conn_max_age=60, conn_health_checks=True)
except (dj_database_url.ParseError, ValueError) as error:
    raise ImproperlyConfigured("SEAWALL_DATABASE_URL is not a database address we can read.") from error
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = _SQLITE
elif _database["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("SEAWALL_DATABASE_URL must name SQLite or PostgreSQL.")
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Practitioners only. It stands here from the first migration because it cannot be changed later.
AUTH_USER_MODEL = "accounts.Staff"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
# Their cookies live under /staff/ and reach no public page. seawall.accounts.middleware marks them Secure with TLS.
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = "/staff/"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_FAILURE_VIEW = "seawall.accounts.views.form_refused"

LANGUAGE_CODE = "en"
# A file in the folder makes a language: docs/operating/languages.md.
LOCALE_PATHS = [Path(__file__).parent / "locale"]
_languages = languages.found(LOCALE_PATHS[0])
LANGUAGES = [(LANGUAGE_CODE, "English"), *((each.code, each.name) for each in _languages)]
LANGUAGES_BIDI = [each.code for each in _languages if each.direction == "rtl"]
LANGUAGES_UNREVIEWED = [each.code for each in _languages if not each.reviewed]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/London"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # straight from the rooms' static folders: nothing to collect first

# A form of 100 fingerprints is 21 KB; a partner's 1,000 feedback events are 130 KB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 300
FILE_UPLOAD_HANDLERS: list[str] = []  # nothing here takes a file
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # public pages have no cookie to ride on; seawall.site.middleware.same_site guards their forms
]
USE_X_FORWARDED_HOST = BEHIND_PROXY

# A case that nobody uses ends after so many months.
CASE_MONTHS = _number("SEAWALL_CASE_MONTHS", 12, 1, 120)
# What one case may keep in the locker, in MiB.
CASE_QUOTA = _number("SEAWALL_CASE_QUOTA", 2048, 1, 1 << 20) << 20
# Room on the disk that lockers leave alone, in MiB: for the database, and for what people send to be protected.
SPARE_ROOM = _number("SEAWALL_SPARE_ROOM", 1024, 0, 1 << 20) << 20
# What one network may send to lockers in an hour, in MiB.
SENT_AN_HOUR = _number("SEAWALL_SENT_AN_HOUR", 8192, 1, 1 << 20) << 20
# Who says when a case's log was what it is (RFC 3161), and the certificates their answers are checked against.
TSA_URLS = _authorities()
TSA_ROOTS = os.environ.get("SEAWALL_TSA_ROOTS", "")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # Django wants one; nothing of ours uses it
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "evidence": _blobs(DATA),
}
# Cases that one network (a /24, or a /56) may open in an hour. A phone company can put a town behind one.
CASES_AN_HOUR = _number("SEAWALL_CASES_AN_HOUR", 60, 1, 1_000_000)
# The team that cases can share with: its signed roster, and the offline key that signs it. `seawall roster` makes both.
ROSTER = os.environ.get("SEAWALL_ROSTER", "")
ROSTER_ROOT = _public_key("SEAWALL_ROSTER_ROOT")
if bool(ROSTER) != bool(ROSTER_ROOT):
    raise ImproperlyConfigured("SEAWALL_ROSTER and SEAWALL_ROSTER_ROOT go together. Set both, or none.")

# Messages only: no request, address, body or user is ever formatted.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "seawall": {"level": "INFO"},
        # Django logs the path of a refused request; a path can hold what somebody typed.
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "CRITICAL"},
    },
}
