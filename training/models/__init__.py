"""Training runs, the models they made, and how good those are."""

from training.models.analyses import AnalysedIntent, TextAnalysis
from training.models.comparisons import ChangedAnswer, Comparison, ComparisonChunk
from training.models.evaluations import Evaluation, EvaluationScores
from training.models.plans import RetrainingPlan
from training.models.radar import KeptLabel, RadarScan, Suspect
from training.models.regression import RegressionCase
from training.models.runs import TrainingRun
from training.models.verdicts import GateOverride, GateReadings, GateVerdict
from training.models.versions import Activation, ActiveModel, ModelVersion

__all__ = [
    "Activation",
    "ActiveModel",
    "AnalysedIntent",
    "ChangedAnswer",
    "Comparison",
    "ComparisonChunk",
    "Evaluation",
    "EvaluationScores",
    "GateOverride",
    "GateReadings",
    "GateVerdict",
    "KeptLabel",
    "ModelVersion",
    "RadarScan",
    "RegressionCase",
    "RetrainingPlan",
    "Suspect",
    "TextAnalysis",
    "TrainingRun",
]
