"""A Celery application whose worker forks; its parent may have started the engine before."""

import os

import django
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csplatform.settings")
django.setup()

from intents import inference  # noqa: E402
from intents.inference.watches import Sources  # noqa: E402
from tests.intents.models_of_tests import FixedClassifier, Shelf, eventually  # noqa: E402

app = Celery("prefork")
app.config_from_object("django.conf:settings", namespace="CELERY")

_shelf = Shelf()
_shelf.put("v1", FixedClassifier(("logistics", "invoice")), [])
inference._sources = lambda: Sources(_shelf._encoder, lambda: "v1", _shelf._model)
if os.environ.get("ENGINE_BEFORE_FORK"):
    inference.start()
    eventually(lambda: inference.status().state == "ready")


@app.task(name="tests.understand", ignore_result=False)
def understand() -> tuple[int, str]:
    """Return which process this is, and the state of its engine or why there is none."""
    try:
        inference.start()
        inference.classify("你好")
    except inference.EngineInherited as error:
        return os.getpid(), f"EngineInherited: {error}"
    return os.getpid(), eventually(
        lambda: (state := inference.status().state) == "ready" and state, within_s=60
    )
