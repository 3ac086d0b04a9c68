from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlatformConfig(AppConfig):
    name = "csplatform"
    verbose_name = _("platform")

    def ready(self) -> None:
        from csplatform import checks  # noqa: F401  (registers them)
