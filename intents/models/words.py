"""What is starred out of messages, and what is not."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SensitiveWord(models.Model):
    """A word that is starred out before anything else sees a text."""

    word = models.CharField(_("word"), max_length=60, unique=True)
    category = models.CharField(_("category"), max_length=40, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("sensitive word")
        verbose_name_plural = _("sensitive words")

    def __str__(self) -> str:
        return self.word


class AllowedPhrase(models.Model):
    """An innocent phrase that holds a sensitive word (大麻烦 holds 大麻) and stays readable."""

    text = models.CharField(_("phrase"), max_length=60, unique=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("allowed phrase")
        verbose_name_plural = _("allowed phrases")

    def __str__(self) -> str:
        return self.text
