"""Every kind of component and the modules that hold the packaged ones.

Importing this package imports none of those modules: each is loaded when its kind is first used,
so that a question about datasets does not wait for torch.
"""

from exp.registry import register

register.kind("dataset", "exp.components.planar", "exp.components.tabular", handed=("seed",))
register.kind("split", "exp.components.splits", handed=("labels", "seed"))
register.kind("activation", "exp.components.activations")
register.kind("model", "exp.components.models", handed=("in_features", "out_features"))
register.kind("loss", "exp.components.losses", handed=("classes",))
register.kind(
    "optimizer",
    "exp.components.sgd",
    "exp.components.adam",
    "exp.components.nadam",
    "exp.components.radam",
    "exp.components.adaptive",
    "exp.components.rprop",
    "exp.components.torch_optimizer",
    handed=("parameters",),
)
register.kind(
    "scheduler",
    "exp.components.schedulers",
    "exp.components.falls",
    "exp.components.plateau",
    handed=(),
)
register.kind("device", "exp.components.devices", handed=())
register.kind("trainer", "exp.components.trainers", handed=())
register.kind("figures", "exp.components.pictures", handed=())
register.kind(
    "logger",
    "exp.loggers.none",
    "exp.loggers.tensorboard",
    "exp.loggers.mlflow",
    "exp.loggers.wandb",
    handed=(),
)
