"""Tokens of programs: made and revoked in the admin, stored as hashes only."""

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

SERVICE_TOKEN_PREFIX = "svc_"  # noqa: S105  (no secret: it tells the kind of token)


def digest(token: str) -> str:
    """Return the SHA-256 of a token, in hex. It has 256 random bits: no salt, no stretching."""
    return hashlib.sha256(token.encode()).hexdigest()


class ServiceToken(models.Model):
    """Lets one program call what needs the role "service", until somebody revokes it."""

    name = models.CharField(_("program"), max_length=80, unique=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("made by"),
    )
    created_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("service token")
        verbose_name_plural = _("service tokens")

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def new_secret() -> str:
        """Make the token itself. It is shown once; only `digest(token)` is kept."""
        return SERVICE_TOKEN_PREFIX + secrets.token_urlsafe(32)
