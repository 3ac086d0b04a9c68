"""The company's own virus scanner, where there is one: a function that ATTACHMENT_SCANNER names."""

import logging
from typing import BinaryIO

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from csplatform.errors import Refusal

logger = logging.getLogger(__name__)


class FileInfected(Refusal):
    code = "file_infected"
    status = 400
    detail = _("This file was refused: it may be harmful.")


class ScannerAway(Refusal):
    code = "unavailable"
    status = 503
    detail = _("This cannot be stored right now. Please try again.")


def check(file: BinaryIO, *, name: str, content_type: str) -> None:
    """Have a file scanned before anything else reads it; nothing without a scanner.

    The scanner is called with the file, open for reading at its beginning, `name` and
    `content_type`; it returns whether the file is clean. One that fails lets nothing in.

    Raises:
        FileInfected: The scanner says so.
        ScannerAway: It failed.
    """
    if not settings.ATTACHMENT_SCANNER:
        return
    file.seek(0)
    try:
        is_clean = import_string(settings.ATTACHMENT_SCANNER)(
            file, name=name, content_type=content_type
        )
    except Exception:
        logger.exception("The scanner of attachments failed: nothing is let in")
        raise ScannerAway from None
    if not is_clean:
        logger.warning("The scanner refused an attachment of type %s", content_type)
        raise FileInfected
    file.seek(0)
