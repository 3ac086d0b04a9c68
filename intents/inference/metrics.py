"""What Prometheus is told about understanding; /metrics shows it."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

QUEUED = Gauge("intents_queue_texts", "Texts that wait for the engine")
WAITED = Histogram("intents_queue_seconds", "From submit to the batch", buckets=_SECONDS)
PREPARED = Histogram(
    "intents_prepare_seconds", "Normalising and looking up one batch", buckets=_SECONDS
)
INFERRED = Histogram(
    "intents_infer_seconds", "Tokenising and running one batch", ["part"], buckets=_SECONDS
)
BATCH_TEXTS = Histogram(
    "intents_batch_texts", "Texts in one batch", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
REFUSED = Counter("intents_refused_total", "Texts that the engine did not answer", ["reason"])
FAILED = Counter("intents_failed_batches_total", "Batches that raised", ["part"])
ANSWERED = Counter("intents_answered_total", "Texts answered, by what answered", ["source"])
