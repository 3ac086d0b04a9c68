"""In which languages, and where, customers are answered."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Language(models.TextChoices):
    """The languages in which customers are answered."""

    CHINESE = "zh", _("Chinese")
    ENGLISH = "en", _("English")


class Channel(models.TextChoices):
    """Where a conversation takes place; a reply may be meant for one of them."""

    ANY = "", _("any channel")
    WEB = "web", _("chat page")
    API = "api", _("programs (REST)")
