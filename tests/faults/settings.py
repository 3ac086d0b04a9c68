"""The product's settings for the fault matrix: its clock can be moved, its promises be broken."""

import os

from csplatform.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.inside"]  # noqa: F405
# A directory of an embedded PostgreSQL; without it the database is SQLite in VAR_DIR.
if _postgres := os.environ.get("FAULTS_POSTGRES"):
    DATABASES["default"] = {  # noqa: F405
        **DATABASES["default"],  # noqa: F405
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": _postgres,
        "PORT": "5432",
        "OPTIONS": {},
    }
