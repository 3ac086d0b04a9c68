"""Training runs, the models they made, and how good those are."""

from training.models.evaluations import Evaluation, EvaluationScores
from training.models.runs import TrainingRun
from training.models.versions import Activation, ActiveModel, ModelVersion

__all__ = [
    "Activation",
    "ActiveModel",
    "Evaluation",
    "EvaluationScores",
    "ModelVersion",
    "TrainingRun",
]
