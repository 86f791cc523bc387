"""Every kind of component and the modules that hold the packaged ones.

Importing this package imports none of those modules: each is loaded when its kind is first used,
so that a question about datasets does not wait for torch.
"""

from exp.registry.registry import register
from exp.registry.types import ClassName

register.kind(
    "dataset",
    "exp.components.planar",
    "exp.components.bundled",
    "exp.components.table_files",
    "exp.components.sklearn_datasets",
    "exp.components.regression_datasets",
    injected=("seed",),
    aliases={"seed": ("random_state",)},
    about="rows and their labels or numbers: generated, bundled, or read from a file",
)


@register.common("dataset")
def scored(*, positive: ClassName | None = None) -> None:
    """Of two classes the one that counts as positive in precision, recall, F1 and the like; null:
    1 of 0 and 1 or of -1 and 1, else the class that is rarer among the training rows.
    """


register.kind(
    "split",
    "exp.components.splits",
    "exp.components.folds",
    "exp.components.ordered",
    injected=("labels", "seed"),
    aliases={"labels": ("y",), "seed": ("random_state",)},
    about="which rows train, validate and test, and whether features are standardized",
)
register.kind(
    "features",
    "exp.components.features",
    injected=("names", "seed"),
    aliases={"seed": ("random_state",)},
    about="what the model sees of the features: maps such as squares, products and sines",
)
register.kind(
    "activation",
    "exp.components.activations",
    adapter="exp.components.custom_activations:adapted",
    about="the function between the layers of a model: model.activation=NAME",
)
register.kind(
    "model",
    "exp.components.models",
    injected=("in_features", "out_features"),
    about="the network, from rows to logits",
)
register.kind(
    "loss",
    "exp.components.classification_losses",
    "exp.components.regression_losses",
    injected=("classes",),
    aliases={"classes": ("num_classes", "n_classes")},
    adapter="exp.components.custom_losses:adapted",
    about="what training minimizes, with its link from logits to probabilities or a number",
)
register.kind(
    "metric",
    "exp.components.metrics",
    injected=("truth", "predicted", "probabilities", "positive", "classes"),
    about="scores of your own, beside those that every run has; trainer.monitor can follow one",
)
register.kind(
    "optimizer",
    "exp.components.sgd",
    "exp.components.adam",
    "exp.components.nadam",
    "exp.components.radam",
    "exp.components.adaptive",
    "exp.components.rprop",
    "exp.components.torch_optimizer",
    injected=("parameters",),
    aliases={"parameters": ("params",)},
    adapter="exp.components.custom_optimizers:adapted",
    about="how a step follows from a gradient",
)
register.kind(
    "scheduler",
    "exp.components.schedulers",
    "exp.components.schedules",
    "exp.components.plateau",
    adapter="exp.components.custom_schedulers:adapted",
    about="how the learning rate changes over the epochs",
)
register.kind("device", "exp.components.devices", about="where it computes, and how exactly")
register.kind(
    "trainer",
    "exp.components.trainers",
    about="epochs, batches, early stopping, what is printed and saved",
)
register.kind(
    "figures",
    "exp.components.figure_options",
    about="which pictures a run draws, and how they look",
)
register.kind(
    "logger",
    "exp.runs.loggers.none",
    "exp.runs.loggers.tensorboard",
    "exp.runs.loggers.mlflow",
    "exp.runs.loggers.wandb",
    about="trackers that finished runs are written into; several at once",
)
