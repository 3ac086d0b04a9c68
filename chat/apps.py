from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = _("conversations")

    def ready(self) -> None:
        from chat import listeners  # noqa: F401  (their table fills when they are imported)
        from chat.attachments import deletion  # noqa: F401  (it listens, too)
        from chat.longtexts import deletion as findings_deletion  # noqa: F401

        post_migrate.connect(_keep_search, sender=self)


def _keep_search(using: str, **_signal: Any) -> None:
    from chat.inbox import search_index

    search_index.keep_triggers(connections[using])
