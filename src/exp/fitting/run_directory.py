"""The run directory of a fit: an ordinary one, whose model is the ensemble."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from exp.config.plan import Plan
from exp.engine import Job, Predictor, Recording, Result
from exp.engine.job import possible
from exp.fitting.portfolio import Candidate
from exp.fitting.rounds import LEVELS, Done, Rounds
from exp.fitting.selection import Answers
from exp.fitting.table import Table
from exp.fitting.training import Trained, outputs_of
from exp.runs import result_files


@dataclass(frozen=True)
class Chosen:
    """The members of an ensemble.

    Attributes:
        members: each candidate with its folds and its weight.
        temperature: of the probabilities.
        rows: [validated rows] which rows of the table have out-of-fold answers.
        answers: these, [validated rows, outputs], after the temperature.
    """

    members: list[tuple[Candidate, list[Trained], float]]
    temperature: float
    rows: NDArray[np.int64]
    answers: Answers


def plan_of(table: Table, chosen: Chosen, epochs: int) -> tuple[Plan, list[Any]]:
    """The validated config of the ensemble, and its fitted feature maps."""
    maps: list[dict[str, Any]] = []
    modules: list[Any] = []
    places: dict[str, int] = {}
    members = []
    for candidate, folds, weight in chosen.members:
        key = repr(candidate.features)
        if key not in places:
            config, module = table.map_of(candidate.features)
            places[key] = len(maps)
            maps.append(config)
            modules.append(module)
        members.append(
            {
                "map": places[key],
                "network": table.model_of(candidate),
                "outputs": outputs_of(candidate, len(table.prepared.data.classes)),
                "copies": len(folds),
                "weight": round(weight, 6),
            }
        )
    model = {
        "name": "ensemble",
        "maps": maps,
        "members": members,
        "mean": "numbers" if table.prepared.data.numeric else "probabilities",
        "temperature": chosen.temperature,
        "limits": None if table.limits is None else list(table.limits),
    }
    trainer = {"name": "standard", "epochs": max(1, epochs), "print_every": None}
    return table.settings.plan({"split": table.split, "model": model, "trainer": trainer}), modules


def first_job(table: Table) -> Job:
    """A job with the rows of a fit, for a directory whose ensemble is not known yet."""
    member = {"network": {"name": "linear"}, "outputs": 1, "weight": 1.0}
    model = {"name": "ensemble", "maps": [{"name": "none"}], "members": [member]}
    found = table.settings.plan({"split": table.split, "model": model})
    data = table.prepared
    return Job(found, data, possible(found["loss"], data.counts, data.data.classes),
               found["device"].build())  # fmt: skip


def state_of(chosen: Chosen, maps: list[Any]) -> dict[str, torch.Tensor]:
    """The tensors of the ensemble by name."""
    state = {
        f"maps.{at}.{name}": value
        for at, module in enumerate(maps)
        for name, value in module.state_dict().items()
    }
    networks = [each for _, folds, _ in chosen.members for each in folds]
    for at, each in enumerate(networks):
        state |= {f"networks.{at}.{name}": torch.from_numpy(a) for name, a in each.state.items()}
    return state


def result_of(table: Table, chosen: Chosen, history: dict[str, NDArray[Any]]) -> tuple[Job, Result]:
    """The ensemble as the result of a run."""
    found, maps = plan_of(table, chosen, len(history["epoch"]))
    data = table.prepared
    device = found["device"].build()
    job = Job(found, data, possible(found["loss"], data.counts, data.data.classes), device)
    state = state_of(chosen, maps)
    wanted = Predictor(job, None).model.state(0)
    state = {name: state[name].to(tensor.dtype) for name, tensor in wanted.items()}
    best = int(np.nanargmin(history["validation/loss"])) if len(history["epoch"]) else 0
    numbers = {"epoch": len(history["epoch"]), "ended": "done"}
    checkpoint = {f"model.{name}": tensor for name, tensor in state.items()}, numbers
    result = Result(
        job, "done", len(history["epoch"]), history, state, state, best, checkpoint, Recording()
    )
    return job, result


class FitAnswers(result_files.Answers):
    """The answers of an ensemble; those of the validation rows are out-of-fold: of networks that
    have not seen the row.

    Args:
        result: of the ensemble.
        chosen: its out-of-fold answers.
    """

    def __init__(self, result: Result, chosen: Chosen) -> None:
        super().__init__(result)
        parts = {"train": self.rows["train"], "validation": chosen.rows}
        self.rows = parts | {name: rows for name, rows in self.rows.items() if name != "train"}
        answers = chosen.answers
        numeric = result.job.data.data.numeric
        if numeric:
            scale = result.job.data.target_scale
            logits = answers if scale is None else scale.scaled(answers)
        else:
            logits = np.log(np.maximum(answers, 1e-7))
        if result.job.outputs == 1 and not numeric:
            logits = logits[:, 1:] - logits[:, :1]
        dtype = self.logits["train"].dtype
        for name, values in (("logits", logits), ("probabilities", answers)):
            found = {**getattr(self, name), "validation": values.astype(dtype)}
            setattr(self, name, {part: found[part] for part in self.rows})
        found = {**self.predicted, "validation": result.predictor.labels(logits.astype(dtype))}
        self.predicted = {part: found[part] for part in self.rows}

    def loss(self, name: str) -> float:
        if name != "validation":
            return super().loss(name)
        rule = self.result.predictor.objective.loss
        logits = torch.from_numpy(self.logits[name]).T[None]
        labels = torch.from_numpy(self.result.job.data.targets[self.rows[name]])[None]
        return float(rule.per_row(logits, rule.targets(labels, logits.dtype)).mean())


def candidates_text(rounds: Rounds, chosen: Chosen) -> str:
    """candidates.csv: every candidate, how far it was trained, its score and its weight."""
    weights = {candidate.number: weight for candidate, _, weight in chosen.members}
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(
        ["candidate", "share", "folds", "validation_score", "best_epoch", "weight",
         "features", "model", "optimizer", "loss", "batch_size", "epochs", "failed"]
    )  # fmt: skip
    done: Done = rounds.done
    for each in rounds.candidates:
        level = done.level(each.number)
        found = done.trained.get((each.number, level), [])
        score = rounds.scores.get((each.number, level))
        epochs = [one.best_epoch + 1 for one in found]
        table.writerow(
            [
                each.number,
                f"{LEVELS[level]:.3g}" if level >= 0 else 0,
                len(found),
                "" if score is None else repr(score),
                round(float(np.mean(epochs)), 1) if epochs else "",
                weights.get(each.number, 0.0),
                *(json.dumps(part) for part in
                  (each.features, each.model, each.optimizer, each.loss)),
                each.batch_size,
                each.epochs,
                done.failed.get(each.number, ""),
            ]
        )  # fmt: skip
    return lines.getvalue()
