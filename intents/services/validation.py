"""What texts of staff have in common: braces that hold variables, and errors that name a field."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from intents.guard.normalize import visible

_IN_BRACES = re.compile(r"\{([^{}]*)\}")
_FULL_WIDTH_BRACES = "｛｝"
_CODE = re.compile(r"[a-z][a-z0-9_]*")


def validate_code(code: str) -> None:
    """Accept the code of an intent."""
    if not _CODE.fullmatch(code):
        raise ValidationError(
            _("Lower-case letters, digits and _, beginning with a letter."), code="code"
        )


def validate_template(text: str, variables: Iterable[str]) -> None:
    """Accept a text whose braces hold nothing but these variables."""
    if not visible(text).strip():
        raise ValidationError(_("The text is empty."), code="empty")
    if set(_FULL_WIDTH_BRACES) & set(text):  # what a Chinese keyboard gives
        raise ValidationError(
            _("Write variables in half-width braces { }, not in full-width ones ｛ ｝."),
            code="full_width_braces",
        )
    # Each once, in the order of the text.
    if unknown := [
        name for name in dict.fromkeys(_IN_BRACES.findall(text)) if name not in variables
    ]:
        known = _listed(variables)
        raise ValidationError(
            _("Not a variable: %(names)s. There are: %(known)s.")
            if known
            else _("Not a variable: %(names)s. This text has none."),
            code="unknown_variable",
            params={"names": _listed(unknown), "known": known},
        )
    if set("{}") & set(_IN_BRACES.sub("", text)):
        raise ValidationError(_("A brace has no partner; braces are for variables."), code="brace")


def _listed(variables: Iterable[str]) -> str:
    return ", ".join(f"{{{variable}}}" for variable in variables)


@contextmanager
def in_field(name: str) -> Iterator[None]:
    """Give what is refused inside to a form's field."""
    try:
        yield
    except ValidationError as error:
        raise ValidationError({name: error}) from None
