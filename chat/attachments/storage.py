"""Where files lie: a private storage of Django's, by random names. No web server sees it."""

from django.core.files.base import File
from django.core.files.storage import Storage, storages

from chat.models import Attachment


def store() -> Storage:
    """Return the storage `attachments` of STORAGES."""
    return storages["attachments"]


def path_of(attachment: Attachment) -> str:
    # In 256 folders: some file systems are slow with many files in one.
    return f"{attachment.key[:2]}/{attachment.key}"


def thumbnail_path_of(attachment: Attachment) -> str:
    return f"{path_of(attachment)}.thumbnail"


def save(attachment: Attachment, file: File, thumbnail: File | None) -> None:
    """Write a file and its thumbnail; both or none."""
    try:
        store().save(path_of(attachment), file)
        if thumbnail is not None:
            store().save(thumbnail_path_of(attachment), thumbnail)
    except BaseException:
        remove(attachment)
        raise


def read(path: str) -> bytes:
    """Return a file's content.

    Raises:
        FileNotFoundError: It is not there.
    """
    with store().open(path) as file:
        content: bytes = file.read()
        return content


def remove(attachment: Attachment) -> None:
    """Delete a file and its thumbnail; nothing happens where there are none."""
    store().delete(path_of(attachment))
    store().delete(thumbnail_path_of(attachment))
