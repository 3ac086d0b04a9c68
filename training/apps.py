from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrainingConfig(AppConfig):
    name = "training"
    verbose_name = _("training")

    def ready(self) -> None:
        from intents.services import KNOWN_LABELS
        from training import checks, registry  # noqa: F401  (checks registers itself)

        if registry.known_labels not in KNOWN_LABELS:
            KNOWN_LABELS.append(registry.known_labels)
