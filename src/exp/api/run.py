"""A run as an object: what its directory holds, and its model."""

from __future__ import annotations

from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from exp.api.figures import Figures
from exp.api.model import Predicting, loaded
from exp.api.tables import Arrays, frame
from exp.runs.collection import finite
from exp.runs.record import RunRecord
from exp.util.errors import ExpError, unknown
from exp.util.metric_names import OF_NUMBERS
from exp.util.text_tables import number

if TYPE_CHECKING:
    from exp.runs.trained.predictor import Trained

TABLES = ("history", "predictions", "norms")
"""What `arrays` takes."""
SHOWN = ("loss", "accuracy", "f1", "auroc", *OF_NUMBERS)


class Run(Predicting):
    """One run, from `exp.run` or `exp.load`. Each file is read when it is used.

    Attributes:
        path: the absolute path of its directory.
        record: the content of run.json.
    """

    def __init__(self, saved: RunRecord, *, trust: bool, model: Trained | None = None) -> None:
        self._saved, self._trust = saved, trust
        self.path: Path = saved.directory.path
        self.record = saved.record
        self._models = {} if model is None else {"final": model}

    @property
    def name(self) -> str:
        return str(self.record.get("name"))

    @property
    def status(self) -> str:
        """done, diverged, failed, interrupted, running or crashed."""
        return self._saved.status

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved config; values from the environment appear by name."""
        return self._saved.config()

    @cached_property
    def summary(self) -> dict[str, Any]:
        """summary.json: final scores, the best epoch's row, the number of epochs.

        Raises:
            RunDirectoryError: the file is missing, because the run did not finish, or it is
                corrupted.
        """
        return self._saved.summary()

    def arrays(self, table: str) -> Arrays:
        """A table of the run: column -> NumPy array.

        Args:
            table: history, predictions or norms. Classes are given by name.

        Raises:
            ExpError: there is no such table, or it is corrupted.
        """
        if table not in TABLES:
            raise ExpError(unknown("table", table, TABLES, "There are"))
        if table == "predictions":
            return self._saved.predictions().arrays
        return self._saved.history() if table == "history" else self._saved.norms()

    @cached_property
    def history(self) -> Any:
        """metrics.csv as a DataFrame: a row for each evaluated epoch."""
        return frame(self.arrays("history"))

    @cached_property
    def predictions(self) -> Any:
        """predictions.csv as a DataFrame: every row of every split."""
        columns = self.arrays("predictions")
        names = list(columns)
        last = names.index("label" if "label" in names else "target")
        answers = [name for name in names if name.startswith("probability:")]
        features, results = names[2:last][:2], ("label", "target", "predicted", "prediction")
        return frame(columns, ("split", "row", *features, *results, *answers[:3]))

    @cached_property
    def figures(self) -> Figures:
        """The figures by name; a notebook displays them."""
        return Figures(self._saved.directory.figures)

    @property
    def predictor(self) -> Trained:
        """The model with the weights of the final scores, and the preparation of its rows."""
        return self.trained()

    def trained(self, checkpoint: str = "final") -> Trained:
        """The model of a checkpoint, with the preparation of its rows.

        Args:
            checkpoint: last; best (the epoch with the best monitored score); or final, the weights
                of the final scores (best with `trainer.restore_best`, else last).

        Raises:
            ExpError: there is no model, or its config, its components or the version of exp have
                changed.
        """
        if checkpoint not in self._models:
            self._models[checkpoint] = loaded(self._saved, trust=self._trust, checkpoint=checkpoint)
        return self._models[checkpoint]

    def __repr__(self) -> str:
        return f"<run {self.name}, {self.status}, {self.path}>"

    def _repr_html_(self) -> str:
        """A table of the final scores for notebooks; nothing of a file is taken for HTML."""
        head = f"<p><b>{escape(self.name)}</b>, {escape(self.status)}<br>"
        head += f"<code>{escape(str(self.path))}</code></p>"
        try:
            final = self.summary["final"]
            splits = [s for s in ("train", "validation", "test") if f"{s}/loss" in final]
            known = (*SHOWN, *self.summary.get("metrics", ()))
            names = [name for name in known if any(f"{s}/{name}" in final for s in splits)]
            positive = self.summary.get("positive")
            scores = {s: [finite(final.get(f"{s}/{name}")) for name in names] for s in splits}
        except (ExpError, KeyError, TypeError):
            return head
        table = pd.DataFrame(scores, index=names, dtype=float)
        shown: str = table.to_html(na_rep="-", float_format=number)
        foot = f"<p>positive class: {escape(str(positive))}</p>" if positive is not None else ""
        return head + shown + foot
