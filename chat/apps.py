from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = _("conversations")

    def ready(self) -> None:
        from chat import listeners  # noqa: F401  (their table fills when they are imported)
