"""What tells processes that content has moved, and keeps what was computed of it."""

from django.db import models


class ContentVersion(models.Model):
    """One row that moves with every change of content, in the same transaction.

    `answers` moves with anything that changes what is said or let through;
    `understanding` only with utterances and intents, on which prototypes depend.
    """

    answers = models.PositiveBigIntegerField(default=1)
    understanding = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.answers}/{self.understanding}"


class Embedding(models.Model):
    """The base encoder's vector of one text, kept so that no process computes it twice."""

    encoder = models.CharField(max_length=64)  # hash of the encoder
    key = models.CharField(max_length=64)  # SHA-256 of the text as it was embedded
    vector = models.BinaryField()  # float16, little endian, unit length

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["encoder", "key"], name="intents_embedded_once"),
        ]

    def __str__(self) -> str:
        return self.key
