"""What the pages must know of attachments before one is chosen."""

from django import template
from django.conf import settings

from chat import attachments
from chat.attachments.kinds import KINDS

register = template.Library()


@register.simple_tag
def file_most_bytes() -> int:
    return attachments.most_bytes()


@register.simple_tag
def files_per_message() -> int:
    return attachments.MOST_PER_MESSAGE


@register.simple_tag
def file_types() -> str:
    """The `accept` of a file field: types for a phone's gallery, endings for the others."""
    kinds = [kind for kind in KINDS if kind.name in settings.ATTACHMENT_TYPES]
    types = [kind.content_type for kind in kinds]
    endings = [f".{ending}" for kind in kinds if not kind.is_image for ending in kind.endings]
    return ",".join([*types, *endings])
