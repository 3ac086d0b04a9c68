"""Labels: short words in colour that agents put on conversations, to find them again."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from chat.models.conversations import Conversation

# What is written on a colour; one of the two has at least 4.5:1 on every colour there is.
DARK_INK, LIGHT_INK = "#000000", "#ffffff"
# Nearer to white or black than this, a label cannot be told from the page around it.
_LEAST_AGAINST_PAGE = 1.2
_PAGES = ("#ffffff", "#141c1a")  # --surface of static/css/base.css, light and dark

_is_colour = RegexValidator(r"^#[0-9a-f]{6}\Z", _("A colour is written like this: #0b6b5d."))


def luminance(colour: str) -> float:
    """Return the relative luminance of "#rrggbb": 0 (black) to 1 (white).

    Source: WCAG 2.2, "relative luminance", https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
    """
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours: 1 (none) to 21 (black on white). Source: as above."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def check_colour(colour: str) -> None:
    """Refuse what is no colour, or one that nobody sees on the light or on the dark page."""
    _is_colour(colour)
    if any(contrast(colour, page) < _LEAST_AGAINST_PAGE for page in _PAGES):
        raise ValidationError(
            _("This colour cannot be told from the page, light or dark. Choose another one.")
        )


class Label(models.Model):
    """A word that agents put on conversations. Supervisors say which there are."""

    name = models.CharField(_("name"), max_length=30, unique=True)
    colour = models.CharField(
        _("colour"),
        max_length=7,
        default="#0b6b5d",
        validators=[check_colour],
        help_text=_("Black or white letters stand on it, whichever are easier to read."),
    )

    class Meta:
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def ink(self) -> str:
        """The colour of the letters on it: the one of the two with more contrast."""
        dark, light = contrast(self.colour, DARK_INK), contrast(self.colour, LIGHT_INK)
        return DARK_INK if dark >= light else LIGHT_INK


class ConversationLabel(models.Model):
    """One label on one conversation: who put it there, and when."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="labelled")
    label = models.ForeignKey(
        Label, models.CASCADE, related_name="labelled", verbose_name=_("label")
    )
    labelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("agent")
    )
    labelled_at = models.DateTimeField(_("labelled at"))

    class Meta:
        verbose_name = _("label of a conversation")
        verbose_name_plural = _("labels of conversations")
        constraints = [
            models.UniqueConstraint(fields=["conversation", "label"], name="chat_label_once"),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.label_id}"
