"""Every kind of component and the modules that hold the packaged ones.

Importing this module imports none of those: each is loaded when its kind is first used, so that
`exp list dataset` does not wait for torch.
"""

from exp.registry.registry import register
from exp.registry.types import ClassName

register.kind(
    "dataset",
    "exp.components.datasets.planar",
    "exp.components.datasets.bundled",
    "exp.components.datasets.table_files",
    "exp.components.datasets.sklearn_datasets",
    "exp.components.datasets.regression_datasets",
    injected=("seed",),
    offered=("aside",),
    aliases={"seed": ("random_state",)},
    about="rows with their labels or target values: generated, bundled, or read from a file",
)


@register.common("dataset")
def scored(*, positive: ClassName | None = None) -> None:
    """Of two classes the one that counts as positive in precision, recall, F1 and the like; null:
    1 of 0 and 1 or of -1 and 1, else the class that is rarer in the training rows.
    """


register.kind(
    "split",
    "exp.components.splits.holdout",
    "exp.components.splits.kfold",
    "exp.components.splits.last",
    injected=("labels", "seed"),
    offered=("columns",),
    aliases={"labels": ("y",), "seed": ("random_state",)},
    about=(
        "which rows are for training, validation and test, and whether features are standardized"
    ),
)


@register.common("split")
def scaled_target(*, standardize_target: bool = False) -> None:
    """true: train on targets with mean 0 and standard deviation 1, fitted on the training rows;
    scores and predictions stay in the target's own units. For a target that is a number.
    """


register.kind(
    "features",
    "exp.components.features",
    injected=("names", "seed"),
    offered=("training_rows",),
    aliases={"seed": ("random_state",)},
    about="transformations of the features before the model: squares, products, sines",
)
register.kind(
    "activation",
    "exp.components.activations",
    adapter="exp.components.custom_activations:adapted",
    about="the function between the layers of a model: model.activation=NAME",
)
register.kind(
    "model",
    "exp.components.models.mlp",
    "exp.components.models.embedded_mlp",
    "exp.components.models.ensemble",
    injected=("in_features", "out_features"),
    about="the network, from rows to logits",
    internal=("embedded_mlp", "ensemble"),  # made by `exp fit`
)
register.kind(
    "loss",
    "exp.components.losses.classification_losses",
    "exp.components.losses.regression_losses",
    injected=("classes",),
    aliases={"classes": ("num_classes", "n_classes")},
    adapter="exp.components.losses.custom_losses:adapted",
    about="what training minimizes, and how logits become probabilities or a number",
)
register.kind(
    "metric",
    "exp.components.metrics",
    injected=("truth", "predicted", "probabilities", "positive", "classes"),
    about="custom metrics, besides those of every run; trainer.monitor can name one",
)
register.kind(
    "optimizer",
    "exp.components.optimizers.sgd",
    "exp.components.optimizers.adam",
    "exp.components.optimizers.nadam",
    "exp.components.optimizers.radam",
    "exp.components.optimizers.adaptive",
    "exp.components.optimizers.rprop",
    "exp.components.optimizers.lion",
    "exp.components.optimizers.muon",
    "exp.components.optimizers.soap",
    "exp.components.optimizers.schedule_free",
    "exp.components.optimizers.sam",
    "exp.components.optimizers.torch_optimizer",
    injected=("parameters",),
    aliases={"parameters": ("params",)},
    adapter="exp.components.optimizers.custom_optimizers:adapted",
    about="how a gradient changes the weights",
)
register.kind(
    "scheduler",
    "exp.components.schedulers.scheduler",
    "exp.components.schedulers.schedules",
    "exp.components.schedulers.plateau",
    adapter="exp.components.schedulers.custom_schedulers:adapted",
    about="how the learning rate changes over the epochs",
)
register.kind(
    "device", "exp.components.devices", about="the device, precision and threads of a run"
)
register.kind(
    "trainer",
    "exp.components.trainers",
    about="epochs, batches, early stopping, printed lines, checkpoints",
)
register.kind(
    "figures",
    "exp.components.figure_options",
    about="which figures a run draws, and how they look",
)
register.kind(
    "logger",
    "exp.runs.loggers.none",
    "exp.runs.loggers.tensorboard",
    "exp.runs.loggers.mlflow",
    "exp.runs.loggers.wandb",
    about="trackers that receive finished runs; several can be named",
)
