"""Losses: what training minimizes. A custom loss is a subclass of `Loss`."""

from exp.components.losses.loss import ClassWeights, Loss
from exp.components.losses.regression_losses import RegressionLoss

__all__ = ["ClassWeights", "Loss", "RegressionLoss"]
