"""Which code made a model."""

import hashlib
from functools import cache

from django.conf import settings

# What decides how a model comes out.
_PACKAGES = ("training", "intents/encoder", "intents/inference", "intents/guard")


@cache
def version() -> str:
    """Return a mark that changes with every line of the code that makes models.

    A deployment need not have its history beside it, so it is a hash of the files themselves.
    """
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((settings.BASE_DIR / package).rglob("*.py")):
            digest.update(path.relative_to(settings.BASE_DIR).as_posix().encode())
            digest.update(path.read_bytes())
    return f"{settings.SPECTACULAR_SETTINGS['VERSION']}+{digest.hexdigest()[:12]}"
