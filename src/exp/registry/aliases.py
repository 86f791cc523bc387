"""The names in PyTorch, scikit-learn and Keras of what a config names.

Nothing here is accepted in a config: the tables only serve the `Did you mean ...?` of an error.
Names are compared by `plain`: without case, punctuation and module (`nn.ReLU()` is `relu`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from exp.util.errors import simple

NONE = ("None", "null", "off", "False", "false", "no")

OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "activation": {
        "silu": ("swish",),
        "leaky_relu": ("lrelu",),
        "sigmoid": ("logistic", "expit"),
        "identity": ("linear", *NONE),
    },
    "dataset": {
        "moons": ("make_moons", "two_moons", "half_moons"),
        "circles": ("make_circles", "rings"),
        "blobs": ("make_blobs", "clusters"),
        "iris": ("load_iris",),
        "wine": ("load_wine",),
        "digits": ("load_digits", "mnist"),
        "breast_cancer": ("load_breast_cancer", "cancer"),
        "spirals": ("make_spiral", "spiral_data"),
        "parquet": ("read_parquet", "pq"),
        "csv": ("read_csv", "table"),
        "npz": ("numpy", "npy"),
    },
    "device": {"cuda": ("gpu", "cuda0", "nvidia"), "mps": ("metal", "apple")},
    "features": {
        "polynomial": ("PolynomialFeatures", "poly"),
        "fourier": ("RBFSampler", "random_fourier_features", "rff"),
        "none": ("identity", *NONE),
    },
    "figures": {"none": NONE, "standard": ("true", "default", "on", "yes")},
    "logger": {"tensorboard": ("SummaryWriter", "tb"), "wandb": ("wb",), "none": NONE},
    "loss": {
        "bce": (
            "BCEWithLogitsLoss", "BCELoss", "binary_cross_entropy",
            "binary_cross_entropy_with_logits", "BinaryCrossentropy", "log_loss", "logistic",
        ),
        "cross_entropy": (
            "CrossEntropyLoss", "NLLLoss", "nll", "ce", "categorical_crossentropy",
            "sparse_categorical_crossentropy", "softmax",
        ),
        "mse": ("MSELoss", "mse_loss", "mean_squared_error", "squared_error", "l2"),
        "l1": ("L1Loss", "mae", "mean_absolute_error", "absolute_error"),
        "hinge": ("HingeLoss", "MultiMarginLoss", "svm"),
        "focal": ("FocalLoss", "sigmoid_focal_loss"),
    },
    "model": {
        "mlp": ("MLPClassifier", "MLPRegressor", "Sequential", "net", "nn", "dnn", "dense"),
        "linear": (
            "LogisticRegression", "LinearRegression", "SGDClassifier", "Perceptron", "logistic",
        ),
    },
    "optimizer": {
        "sgd": ("momentum", "gradient_descent", "nesterov"),
        "schedule_free_adamw": ("AdamWScheduleFree", "schedulefree", "schedule_free"),
        "schedule_free_sgd": ("SGDScheduleFree",),
        "soap": ("shampoo",),
        "sam": ("sharpness_aware", "SharpnessAwareMinimization"),
        "torch": ("Adamax", "ASGD", "Adafactor"),
    },
    "scheduler": {
        "step": ("StepLR",),
        "multistep": ("MultiStepLR",),
        "exponential": ("ExponentialLR", "ExponentialDecay"),
        "cosine": ("CosineAnnealingLR", "CosineDecay"),
        "one_cycle": ("OneCycleLR",),
        "plateau": ("ReduceLROnPlateau", "adaptive"),
        "inverse": ("invscaling", "InverseTimeDecay"),
        "none": ("constant", "ConstantLR", *NONE),
    },
    "split": {
        "holdout": ("train_test_split", "ShuffleSplit", "random", "random_split"),
        "kfold": ("StratifiedKFold", "cross_validation", "cross_val_score", "cv"),
        "last": ("TimeSeriesSplit", "time", "chronological"),
    },
    "trainer": {"standard": ("default", "fit")},
}  # fmt: skip
"""Group -> option -> its names elsewhere, besides other spellings of the option."""

OVERRIDES = {
    "split.standardize=true": ("StandardScaler", "standardize", "scaler", "Normalize", "zscore"),
    "split.standardize=minmax": ("MinMaxScaler", "minmax"),
    "split.stratify=true": ("stratify", "StratifiedShuffleSplit"),
    "model.batch_norm=true": ("BatchNorm1d", "BatchNormalization", "batch_norm"),
    "dataset=sklearn dataset.generator=make_classification": ("make_classification",),
    "dataset=sklearn dataset.generator=make_gaussian_quantiles": ("make_gaussian_quantiles",),
    "dataset=sklearn dataset.generator=make_hastie_10_2": ("make_hastie_10_2",),
    "trainer.average=ema": ("ema", "exponential_moving_average", "ExponentialMovingAverage"),
    "trainer.average=swa": ("swa", "stochastic_weight_averaging", "AveragedModel"),
    "optimizer=torch optimizer.algorithm=Adamax": ("Adamax",),
    "optimizer=torch optimizer.algorithm=ASGD": ("ASGD",),
    "optimizer=torch optimizer.algorithm=Adafactor": ("Adafactor",),
}
"""Overrides -> names for what they do, where one option of a group is not enough."""

GROUPS = {
    "dataset": ("data", "datasets", "X"),
    "loss": ("criterion", "objective", "loss_fn", "cost", "losses"),
    "optimizer": ("optim", "solver", "opt", "optimiser", "optimizers"),
    "scheduler": ("lr_scheduler", "schedule", "lr_schedule", "sched", "learning_rate_schedule"),
    "model": ("net", "network", "arch", "architecture", "models"),
    "experiment": ("preset", "exp"),
    "figures": ("plots", "plot", "figure", "pictures"),
    "logger": ("log", "logging", "tracker", "loggers"),
    "split": ("splitter", "cv"),
    "features": ("feature_map", "transform"),
    "model.activation": ("act", "activation_fn", "nonlinearity", "hidden_activation"),
}
"""Group -> its names elsewhere."""

KEYS = {
    "optimizer.lr": ("learning_rate", "learning_rate_init", "rate", "eta", "eta0", "step_size"),
    "optimizer.beta1": ("beta_1"),
    "optimizer.beta2": ("beta_2",),
    "optimizer.eps": ("epsilon",),
    "optimizer.nesterov": ("nesterovs_momentum",),
    "optimizer.weight_decay": ("wd", "decay", "weight_decay"),
    "loss.l2": ("alpha", "l2_reg", "reg", "regularization"),
    "loss.class_weights": ("class_weight", "pos_weight", "weights"),
    "trainer.epochs": (
        "max_iter", "n_epochs", "num_epochs", "max_epochs", "iterations", "n_iter", "steps",
    ),
    "trainer.batch_size": ("bs", "batch", "minibatch", "mini_batch_size"),
    "trainer.early_stopping": ("patience", "n_iter_no_change", "early_stop"),
    "trainer.min_delta": ("tol",),
    "trainer.clip_norm": ("clip", "grad_clip", "clip_grad_norm", "max_grad_norm", "clipnorm"),
    "trainer.accumulate": (
        "accumulate_grad_batches", "gradient_accumulation_steps", "gradient_accumulation",
        "accumulation_steps", "grad_accum",
    ),
    "trainer.average": ("averaging", "weight_averaging"),
    "trainer.average_decay": ("ema_decay",),
    "trainer.average_start": ("swa_start", "swa_epoch_start", "start_averaging"),
    "trainer.print_every": ("log_every", "print_freq"),
    "trainer.eval_every": ("eval_freq", "validation_freq"),
    "model.hidden": (
        "hidden_layer_sizes", "hidden_sizes", "hidden_size", "hidden_units", "hidden_features",
        "layers", "units", "width",
    ),
    "model.dropout": ("dropout_rate", "drop", "p_dropout"),
    "model.activation": ("act", "activation_fn", "nonlinearity"),
    "model.bias": ("fit_intercept",),
    "split.test": ("test_size", "test_split", "holdout"),
    "split.validation": (
        "validation_fraction", "val", "val_size", "val_split", "validation_split", "valid",
        "validation_size",
    ),
    "split.folds": ("n_splits", "k", "n_folds", "num_folds"),
    "split.stratify": ("stratified",),
    "split.standardize": ("scale", "standardise", "normalize", "normalise", "scaling"),
    "dataset.n_samples": ("samples", "num_samples", "n", "rows", "n_rows", "size"),
    "dataset.noise": ("sigma", "std", "noise_std"),
    "dataset.path": ("file", "filename", "data_path", "csv"),
    "dataset.target": ("label", "labels", "y", "target_column", "label_column"),
    "dataset.delimiter": ("sep", "separator"),
    "features.degree": ("degree",),
    "scheduler.step_size": ("step_size",),
    "scheduler.gamma": ("gamma", "decay_rate", "lr_decay"),
    "scheduler.t_max": ("T_max",),
    "scheduler.patience": ("patience",),
    "device.dtype": ("dtype", "precision"),
    "figures.draw": ("plots", "figures", "draw", "names"),
    "sweep.n_jobs": ("n_jobs", "jobs", "workers", "num_workers", "n_workers", "parallel"),
    "seed": ("random_state", "random_seed", "manual_seed", "rng", "seeds"),
    "hydra.run.dir": ("output", "output_dir", "out", "out_dir", "save_dir", "log_dir", "logdir"),
}  # fmt: skip
"""Key -> its names elsewhere, or what people type in its place."""


def plain(name: object) -> str:
    """A name without case, punctuation and module: equal for two spellings of one name."""
    text = str(name).strip().removesuffix("()")
    return simple(text.rpartition(".")[2])


def spelled(word: object, known: Iterable[str]) -> str | None:
    """The one of `known` that is the word in another spelling."""
    wanted = plain(word)
    return next((name for name in known if wanted and plain(name) == wanted), None)


def option(group: str, word: object) -> str | None:
    """The option of a group that another library calls by this name."""
    return called(word, OPTIONS.get(group, {}))


def overrides(word: object) -> list[str]:
    """The overrides that do what another library calls by this name, or none."""
    return (called(word, OVERRIDES) or "").split()


def group(word: object) -> str | None:
    """The group that another library calls by this name."""
    return called(word, GROUPS)


def keys(word: object) -> list[str]:
    """The keys that have this name elsewhere, the likeliest first."""
    wanted = plain(word)
    return [key for key, names in KEYS.items() if wanted in map(plain, names)]


def called(word: object, table: dict[str, tuple[str, ...]]) -> str | None:
    wanted = plain(word)
    return next((ours for ours, names in table.items() if wanted in map(plain, names)), None)


def rewritten(value: object) -> Iterator[object]:
    """Other ways to write a value, the likeliest first."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("none", "nil", "null", "nan", "off", "false", "no", ""):
            yield None
        if word in ("yes", "on", "true", "no", "off", "false"):
            yield word in ("yes", "on", "true")
        yield word
    elif isinstance(value, bool):
        yield value or None
    elif isinstance(value, int) and value in (0, 1):
        yield bool(value)
    elif isinstance(value, float) and value.is_integer():
        yield int(value)
    if isinstance(value, list) and len(value) == 1:
        yield value[0]
    elif isinstance(value, str | int | float):
        yield [value]


def written(value: object) -> str:
    """A value in the form of the command line."""
    words: dict[object, str] = {None: "null", True: "true", False: "false"}
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    return words[value] if value is None or isinstance(value, bool) else str(value)
