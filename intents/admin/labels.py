"""What the codes of the log are called on pages."""

from django.utils.translation import gettext_lazy as _

from intents.decisions import Decision

SOURCES = {
    "model": _("trained model"),
    "prototypes": _("prototypes (examples, not trained)"),
    "keywords": _("keywords"),
    "none": _("nothing"),
}
DECISIONS = {
    Decision.ANSWER: _("answers"),
    Decision.CLARIFY: _("asks what was meant"),
    Decision.HAND_OVER: _("calls or offers a human"),
}
RATINGS = {1: _("helped"), -1: _("did not help")}
