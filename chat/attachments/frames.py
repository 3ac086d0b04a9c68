"""An attachment as clients see it: docs/protocol.md."""

from typing import Any

from chat.models import Attachment


def frame(attachment: Attachment) -> dict[str, Any]:
    """Return a part of a message frame; the addresses ask for the reader's own token."""
    url = f"/api/attachments/{attachment.pk}"
    return {
        "id": str(attachment.pk),
        "name": attachment.name,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "width": attachment.width,
        "height": attachment.height,
        "url": url,
        "thumbnail_url": f"{url}/thumbnail" if attachment.is_image else None,
    }
