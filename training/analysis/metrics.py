"""What Prometheus is told about long texts; /metrics shows it."""

import logging
from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

logger = logging.getLogger(__name__)

ENDED = Counter(
    "analysis_attempts_total",
    "Attempts to read a long text, by how they ended, in this process",
    ["outcome"],
)
SECONDS = Histogram(
    "analysis_seconds",
    "Reading one long text, in this process",
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)


class _Queue(Collector):
    """How many texts wait, are read and were given up: asked of the database when it is shown."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        from training.analysis import work

        shown = GaugeMetricFamily(
            "analysis_texts",
            "Long texts that are not read yet, or were given up",
            labels=["status"],
        )
        try:
            for status, count in work.lengths().items():
                shown.add_metric([str(status).lower()], count)
        except Exception:  # whatever it is, the other metrics are shown
            logger.warning("The lengths of the queue cannot be told", exc_info=True)
            return
        yield shown

    def describe(self) -> list[GaugeMetricFamily]:
        return [GaugeMetricFamily("analysis_texts", "", labels=["status"])]


REGISTRY.register(_Queue())
