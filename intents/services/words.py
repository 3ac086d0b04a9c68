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


class Spellings:
    """What the words, or the phrases, that are there find: read once, for many saves."""

    def __init__(self, rows: Iterable[tuple[int, str]]) -> None:
        """Take (primary key, text) of each."""
        self._taken = {sensitive.folded(text): (key, text) for key, text in rows}

    def check(self, text: str, *, but: int | None) -> None:
        """Accept a text, or say what is wrong with it; `but` is its own primary key.

        Raises:
            ValidationError: Nothing visible in it, or it is there in another spelling.
        """
        form = sensitive.folded(text)
        if not form:
            raise ValidationError(
                _("There is nothing visible in it to be found."), code="invisible"
            )
        key, other = self._taken.get(form, (but, ""))
        if key != but:
            raise ValidationError(
                _("“%(other)s” is there already and finds the same."),
                code="taken",
                params={"other": other},
            )

    def add(self, key: int, text: str) -> None:
        """Note what was saved."""
        self._taken[sensitive.folded(text)] = (key, text)


def spellings_of_words() -> Spellings:
    return Spellings(SensitiveWord.objects.values_list("pk", "word"))


def spellings_of_phrases() -> Spellings:
    return Spellings(AllowedPhrase.objects.values_list("pk", "text"))


@transaction.atomic
def save_sensitive_word(
    word: SensitiveWord, *, spellings: Spellings | None = None
) -> SensitiveWord:
    """Create or save one word; it is starred out from now on.

    Args:
        spellings: Of `spellings_of_words`, where many are saved one after the other.

    Raises:
        ValidationError: A field is wrong; see `Spellings.check`.
    """
    word.word = word.word.strip()
    word.full_clean()
    spellings = spellings or spellings_of_words()
    with in_field("word"):
        spellings.check(word.word, but=word.pk)
    word.save()
    spellings.add(word.pk, word.word)
    content_changed(understanding=False)
    return word


@transaction.atomic
def save_allowed_phrase(
    phrase: AllowedPhrase, *, spellings: Spellings | None = None
) -> AllowedPhrase:
    """Create or save one allowed phrase; sensitive words inside it stay readable.

    Args:
        spellings: Of `spellings_of_phrases`, where many are saved one after the other.

    Raises:
        ValidationError: A field is wrong; see `Spellings.check`.
    """
    phrase.text = phrase.text.strip()
    phrase.full_clean()
    spellings = spellings or spellings_of_phrases()
    with in_field("text"):
        spellings.check(phrase.text, but=phrase.pk)
    phrase.save()
    spellings.add(phrase.pk, phrase.text)
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
