"""Which likenesses of sentences somebody has looked at and left as they are."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class KeptPair(models.Model):
    """Two sentences that stay in two intents: nobody is told of their likeness again."""

    # SHA-256 of both keys (intents.conflicts.keeping.pair_of): keys are too long to be indexed.
    pair = models.CharField(max_length=64, unique=True)
    kept_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    kept_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.pair
