"""The bot's fixed sentences, and the questions it offers."""

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from intents.models import Phrase, SuggestedQuestion
from intents.services.validation import in_field, validate_template
from intents.services.versions import content_changed

# By purpose; a purpose that is not here has no variables.
PHRASE_VARIABLES: dict[str, dict[str, str | Promise]] = {
    Phrase.Purpose.AGENT_JOINED: {"agent_name": _("the agent's name")},
}


def validate_phrase_text(purpose: str, text: str) -> None:
    """Accept the text of a phrase; raises ValidationError as `validate_reply_text` does."""
    validate_template(text, PHRASE_VARIABLES.get(purpose, {}))


@transaction.atomic
def save_phrase(phrase: Phrase) -> Phrase:
    """Create or save one phrase.

    Raises:
        ValidationError: A field is wrong, or the purpose has one in this language already.
    """
    phrase.full_clean()
    with in_field("text"):
        validate_phrase_text(phrase.purpose, phrase.text)
    phrase.save()
    content_changed(understanding=False)
    return phrase


@transaction.atomic
def save_suggested_question(question: SuggestedQuestion) -> SuggestedQuestion:
    """Create or save one suggested question. Raises ValidationError."""
    question.full_clean()
    question.save()
    content_changed(understanding=False)
    return question


@transaction.atomic
def delete_suggested_question(question: SuggestedQuestion) -> None:
    """Delete one suggested question."""
    question.delete()
    content_changed(understanding=False)
