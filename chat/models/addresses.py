"""Where customers want to be written to when they have left."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from chat.models.conversations import Conversation


class LeftAddress(models.Model):
    """An e-mail address that was left for one purpose: to send the answer of an agent to it.

    It is used for this conversation only, and gone with it.
    """

    conversation = models.OneToOneField(
        Conversation, models.CASCADE, related_name="left_address", verbose_name=_("conversation")
    )
    email = models.EmailField(_("e-mail"))
    left_at = models.DateTimeField(_("left at"))
    # The agents' lines up to it were mailed, or may have been: none is mailed twice.
    mailed_seq = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("address left by a customer")
        verbose_name_plural = _("addresses left by customers")

    def __str__(self) -> str:
        return self.email
