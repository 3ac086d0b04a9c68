"""Replies that agents have ready: those of everybody, of a team, and each one's own."""

from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chat.models.teams import Team
from intents.models import Language


class CannedReplyQuerySet(models.QuerySet["CannedReply"]):
    """Reads, named for the person who asks."""

    def of_agent(self, agent_id: int) -> "CannedReplyQuerySet":
        """What an agent can use: everybody's, his teams' and his own."""
        teams = Team.objects.filter(agents__user=agent_id, is_active=True)
        shared = Q(owner=None) & (Q(team=None) | Q(team__in=teams))
        return self.filter(shared | Q(owner=agent_id), is_active=True)


class CannedReply(models.Model):
    """One reply in one or both languages, found by its shortcut, its words or their pinyin."""

    shortcut = models.CharField(
        _("shortcut"),
        max_length=24,
        validators=[RegexValidator(r"^[^\s/]+$", _("Without spaces and without “/”."))],
        help_text=_("What agents type after “/”, like “thanks”."),
    )
    title = models.CharField(_("title"), max_length=60)
    text_zh = models.TextField(_("text in Chinese"), blank=True)
    text_en = models.TextField(_("text in English"), blank=True)
    team = models.ForeignKey(
        Team,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="canned_replies",
        verbose_name=_("team"),
        help_text=_("Who can use it. None chosen: everybody."),
    )
    # Whose own it is; NULL for those that supervisors and editors write.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
    )
    is_active = models.BooleanField(_("active"), default=True)
    # Of the title, one syllable after another: "tui huo di zhi". Made when it is saved.
    pinyin = models.CharField(max_length=600, blank=True, editable=False)

    objects = CannedReplyQuerySet.as_manager()

    class Meta:
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")
        ordering = ["shortcut", "pk"]

    def __str__(self) -> str:
        return f"/{self.shortcut} {self.title}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.pinyin = pinyin_of(self.title)
        super().save(*args, **kwargs)

    def text_in(self, language: str) -> tuple[str, str]:
        """Return the text and its language: the asked one, else the other."""
        texts = {Language.CHINESE.value: self.text_zh, Language.ENGLISH.value: self.text_en}
        if texts.get(language):
            return texts[language], language
        return next(((text, spoken) for spoken, text in texts.items() if text), ("", language))


def pinyin_of(text: str) -> str:
    """Return the syllables of a text without tones, and its other words, as they follow."""
    # Its dictionaries take 30 MB; only processes that save replies need them.
    from pypinyin import lazy_pinyin

    return " ".join(" ".join(lazy_pinyin(text)).lower().split())
