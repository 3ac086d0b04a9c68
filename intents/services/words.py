"""Sensitive words, and the phrases in which they are harmless."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from intents.guard import sensitive
from intents.models import AllowedPhrase, SensitiveWord
from intents.services.validation import in_field
from intents.services.versions import content_changed


def warning_about(word: str) -> str:
    """Return what an editor should know before he saves a word; "" for nothing."""
    form = sensitive.folded(word)
    if len(form) == 1 and form.isascii():
        return str(
            _("One letter stars out every place where it stands alone, such as size %s.")
            % form.upper()
        )
    if len(form) == 1:
        return str(
            _("One character is part of many harmless words: add those to the allowed phrases.")
        )
    return ""


def validate_sensitive_word(text: str, *, but: int = 0) -> None:
    """Accept a word, or say what is wrong with it; `but` is the word's own primary key.

    Raises:
        ValidationError: Nothing visible in it, or the same word is there in another spelling.
    """
    words = SensitiveWord.objects.exclude(pk=but).values_list("word", flat=True)
    _check_form(text, words)


def validate_allowed_phrase(text: str, *, but: int = 0) -> None:
    """Accept an allowed phrase; as `validate_sensitive_word`."""
    phrases = AllowedPhrase.objects.exclude(pk=but).values_list("text", flat=True)
    _check_form(text, phrases)


def _check_form(text: str, others: Iterable[str]) -> None:
    form = sensitive.folded(text)
    if not form:
        raise ValidationError(_("There is nothing visible in it to be found."), code="invisible")
    for other in others:
        if sensitive.folded(other) == form:
            raise ValidationError(
                _("“%(other)s” is there already and finds the same."),
                code="taken",
                params={"other": other},
            )


@transaction.atomic
def save_sensitive_word(word: SensitiveWord) -> SensitiveWord:
    """Create or save one word; it is starred out from now on.

    Raises:
        ValidationError: See `validate_sensitive_word`.
    """
    word.word = word.word.strip()
    word.full_clean()
    with in_field("word"):
        validate_sensitive_word(word.word, but=word.pk or 0)
    word.save()
    content_changed(understanding=False)
    return word


@transaction.atomic
def save_allowed_phrase(phrase: AllowedPhrase) -> AllowedPhrase:
    """Create or save one allowed phrase; sensitive words inside it stay readable.

    Raises:
        ValidationError: See `validate_allowed_phrase`.
    """
    phrase.text = phrase.text.strip()
    phrase.full_clean()
    with in_field("text"):
        validate_allowed_phrase(phrase.text, but=phrase.pk or 0)
    phrase.save()
    content_changed(understanding=False)
    return phrase


@transaction.atomic
def delete_sensitive_word(word: SensitiveWord) -> None:
    """Delete one word; it is readable from now on."""
    word.delete()
    content_changed(understanding=False)


@transaction.atomic
def delete_allowed_phrase(phrase: AllowedPhrase) -> None:
    """Delete one allowed phrase; words inside it are starred again."""
    phrase.delete()
    content_changed(understanding=False)
