"""Files that go with messages: what they may be, where they lie, who gets them.

A file is judged by its content, never by its name. Images are made anew from their pixels, so
nothing that was hidden in one (place, device, a second format) is stored. Whose message a file
goes with is settled by one UPDATE in the transaction that stores the message.
"""

from chat.attachments.frames import frame
from chat.attachments.images import TooManyPixels
from chat.attachments.kinds import FileBroken, FileType
from chat.attachments.reading import NoSuchAttachment, content, for_agent, for_customer
from chat.attachments.scanning import FileInfected
from chat.attachments.uploads import (
    MOST_PER_MESSAGE,
    FileTooLarge,
    TooManyFiles,
    bind,
    forget_unsent,
    most_bytes,
    upload,
    withdraw,
)

__all__ = [
    "MOST_PER_MESSAGE",
    "FileBroken",
    "FileInfected",
    "FileTooLarge",
    "FileType",
    "NoSuchAttachment",
    "TooManyFiles",
    "TooManyPixels",
    "bind",
    "content",
    "for_agent",
    "for_customer",
    "forget_unsent",
    "frame",
    "most_bytes",
    "upload",
    "withdraw",
]
