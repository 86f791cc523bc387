"""Which candidates make up the ensemble: greedy selection on out-of-fold predictions.

Source: Caruana et al. 2004, "Ensemble Selection from Libraries of Models": with replacement, from a
sorted beginning, and as the mean over random halves of the candidates, which keeps it from fitting
the validation rows of small tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from exp.components.final_scores import errors, score
from exp.util.metric_names import OF_NUMBERS, higher_is_better

Answers = NDArray[np.float64]
Scorer = Callable[[Answers], float]
"""A score of answers [rows, outputs], of which less is better."""
LEAST = 1e-7
STEPS = 30
BAGS = 8
FAST = ("log_loss", "accuracy", *OF_NUMBERS)
"""Scores that take little time; of others, fewer rows and fewer random halves are looked at."""
ROWS, POOL = 10_000, 32
"""Rows and candidates that a selection looks at, at most: the best by their own scores."""
BEGIN = 2
"""With how many of the best candidates a selection begins."""
LIGHT = 0.02
"""Members with less weight are left out."""
MOST = 10
"""Members of an ensemble."""


def scorer(metric: str, truth: NDArray[Any], positive: int | None) -> Scorer:
    """The score by a metric.

    Args:
        truth: [rows] labels or numbers.
        positive: of two classes the one that counts as positive.
    """
    sign = -1.0 if higher_is_better(metric) else 1.0

    def numbers(answers: Answers) -> float:
        return sign * float(errors(answers[:, 0], truth)[metric])

    def classes(answers: Answers) -> float:
        if metric == "log_loss":
            return log_loss(answers, truth)
        found = score(metric, answers, answers.argmax(axis=1), truth, positive)
        # A little of the log loss decides between equal scores.
        return sign * (found or 0.0) + 1e-3 * min(log_loss(answers, truth), 10.0)

    return numbers if metric in OF_NUMBERS else classes


def log_loss(answers: Answers, truth: NDArray[np.int64], doubt: float | None = None) -> float:
    """The log loss where a label is wrong with a small probability.

    Without a doubt, the best probability would be 1 where all of some rows are predicted correctly,
    and the first wrong row later would have an enormous loss. Source: Platt 1999, "Probabilistic
    Outputs for Support Vector Machines", section 2.2.

    Args:
        answers: [rows, classes].
        doubt: the probability that a row has another label; None: 1 / (rows + 2), that of an event
            that no row has shown.
    """
    doubt = 1 / (len(truth) + 2) if doubt is None else doubt
    chances = answers[np.arange(len(truth)), truth] / answers.sum(axis=1)
    return surprise(chances, doubt)


def surprise(chances: Answers, doubt: float) -> float:
    """The log loss of the probabilities [rows] of the true classes.

    Args:
        doubt: as for `log_loss`.
    """
    chances = np.clip(chances, LEAST, 1 - LEAST)
    return float(-((1 - doubt) * np.log(chances) + doubt * np.log1p(-chances)).mean())


@dataclass(frozen=True)
class Selection:
    """An ensemble.

    Attributes:
        weights: position of a candidate -> its weight; they sum to 1.
        answers: the weighted mean of the candidates' answers [rows, outputs].
    """

    weights: dict[int, float]
    answers: Answers


def select(
    answers: Sequence[Answers], metric: str, truth: NDArray[Any], positive: int | None, seed: int
) -> Selection:
    """The best weighted mean of candidates.

    Args:
        answers: of each candidate, [rows, outputs], for the same rows.
        metric: the score that counts.
        truth: [rows] labels or numbers.
        positive: of two classes the one that counts as positive.
        seed: of the random halves.
    """
    random = np.random.default_rng([seed, 7])
    fast = metric in FAST
    rows = np.sort(random.permutation(len(truth))[: ROWS if fast else ROWS // 4])
    some = [each[rows] for each in answers]
    measure = scorer(metric, truth[rows], positive)
    if metric == "log_loss":  # nothing but the probability of the true class counts
        places = np.arange(len(rows))
        some = [each[places, truth[rows]] / each.sum(axis=1) for each in some]
        measure = partial(surprise, doubt=1 / (len(rows) + 2))
    alone = [measure(each) for each in some]
    order = sorted(range(len(answers)), key=lambda at: alone[at])[:POOL]
    counts = np.zeros(len(answers))
    for _ in range(BAGS if fast and len(rows) < ROWS else 2):
        drawn = random.permutation(len(order))[: max(1, (len(order) + 1) // 2)]
        pool = [order[place] for place in sorted(drawn.tolist())]
        counts += greedy(some, pool, measure)
    weights = counts / counts.sum()
    kept = [at for at in np.argsort(-weights, kind="stable")[:MOST] if weights[at] >= LIGHT]
    kept = kept or [order[0]]
    total = sum(weights[at] for at in kept) or 1.0
    chosen = {int(at): float(weights[at] / total) for at in kept} if total else {order[0]: 1.0}
    mean = sum(weight * answers[at] for at, weight in chosen.items())
    return Selection(chosen, np.asarray(mean))


def greedy(answers: Sequence[Answers], pool: list[int], measure: Scorer) -> NDArray[np.float64]:
    """How often each candidate is taken, as shares.

    Args:
        pool: positions of the candidates that may be taken, the best first.
    """
    taken = pool[:1]
    total = answers[pool[0]].copy()
    best, best_taken = measure(total), list(taken)
    for at in pool[1:BEGIN]:
        taken.append(at)
        total += answers[at]
    if (value := measure(total / len(taken))) < best:
        best, best_taken = value, list(taken)
    while len(taken) < STEPS:
        values = [measure((total + answers[at]) / (len(taken) + 1)) for at in pool]
        at = pool[int(np.argmin(values))]
        taken.append(at)
        total += answers[at]
        if min(values) < best - 1e-9:
            best, best_taken = min(values), list(taken)
    shares = np.bincount(best_taken, minlength=len(answers)) / len(best_taken)
    return np.asarray(shares)


def tempered(answers: Answers, temperature: float) -> Answers:
    """Probabilities [rows, classes] whose logarithms are divided by a temperature."""
    logits = np.log(np.maximum(answers, LEAST)) / temperature
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def calibrate(answers: Answers, truth: NDArray[np.int64], seed: int) -> float:
    """The temperature with the lowest log loss; 1 where it does not help on rows that it was not
    fitted on."""
    doubt = 1 / (len(truth) + 2)
    order = np.random.default_rng([seed, 11]).permutation(len(truth))
    halves = order[::2], order[1::2]
    if min(map(len, halves)) == 0:
        return 1.0
    pairs = [(halves[0], halves[1]), (halves[1], halves[0])]
    found = [
        len(other) * log_loss(
            tempered(answers[other], best_temperature(answers[one], truth[one], doubt)),
            truth[other], doubt,
        )
        for one, other in pairs
    ]  # fmt: skip
    if sum(found) / len(truth) >= log_loss(answers, truth, doubt):
        return 1.0
    return best_temperature(answers, truth, doubt)


def best_temperature(answers: Answers, truth: NDArray[np.int64], doubt: float) -> float:
    def loss(logarithm: float) -> float:
        return log_loss(tempered(answers, float(np.exp(logarithm))), truth, doubt)

    found = minimize_scalar(loss, bounds=(-1.1, 1.1), method="bounded")
    return round(float(np.exp(found.x)), 4)
