"""Methods compared over data sets: ranks, the mean difference, profiles, time to target."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

from commands import Ended, inside
from exp.plotting import critical_difference, layout, performance_profile, style
from exp.report.across import Across
from exp.report.across import compared as compared_cells
from exp.report.cells import Block, Cells
from exp.report.design import Design
from exp.report.statistics import bootstrap, hierarchy, profiles, ranks
from exp.report.statistics.corrections import holm
from exp.runs.directory import record_text
from exp.runs.manifest import Entry, manifest_lines
from exp.runs.metrics_file import history_text
from exp.util.serialize import json_text, yaml_text

Values = NDArray[np.float64]

# Accuracies of four methods on 14 data sets, some of them equal.
SCORES = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.975, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)

# Trials of the BCG vaccine (Colditz et al. 1994): log risk ratios and their variances.
BCG = np.array(
    [
        [-0.8893, 0.3256], [-1.5854, 0.1946], [-1.3481, 0.4154], [-1.4416, 0.0200],
        [-0.2175, 0.0512], [-0.7861, 0.0069], [-1.6209, 0.2230], [0.0120, 0.0040],
        [-0.4694, 0.0564], [-1.3713, 0.0730], [-0.3394, 0.0124], [0.4459, 0.5325],
        [-0.0173, 0.0714],
    ]
)  # fmt: skip


# Ranks


@pytest.mark.parametrize(
    ("methods", "q"),
    [
        (2, 1.960),
        (3, 2.343),
        (4, 2.569),
        (5, 2.728),
        (6, 2.850),
        (7, 2.949),
        (8, 3.031),
        (10, 3.164),
    ],
)
def test_critical_values_of_nemenyi(methods: int, q: float) -> None:
    """Demšar's table 5, whose last digit is not always rounded."""
    found = ranks.critical_difference(methods, 6) / math.sqrt(methods * (methods + 1) / 36)
    assert found == pytest.approx(q, abs=1.1e-3)


def test_friedman_is_that_of_scipy_and_f_that_of_its_formula() -> None:
    found = ranks.friedman(ranks.ranks(SCORES))
    right = stats.friedmanchisquare(*SCORES.T)
    assert found is not None
    assert found.chi2 == pytest.approx(right.statistic, rel=1e-12)
    assert found.p == pytest.approx(right.pvalue, rel=1e-9)
    # Without ties the statistic is Demšar's formula; scipy's correction for ties makes it larger.
    mean = ranks.ranks(SCORES).mean(axis=0)
    assert 12 * 14 / 20 * ((mean**2).sum() - 25) < found.chi2
    f = 13 * right.statistic / (14 * 3 - right.statistic)
    assert (found.f, found.p_f) == pytest.approx((f, stats.f.sf(f, 3, 39)), rel=1e-12)


NEMENYI = {  # scikit-posthocs 0.17.1: posthoc_nemenyi_friedman(-SCORES)
    (0, 1): 0.08867270928888271,
    (0, 2): 0.9716864713022134,
    (0, 3): 0.06168325891240056,
    (1, 2): 0.22669688602641525,
    (1, 3): 0.9988823439818528,
    (2, 3): 0.17005163566434356,
}


def test_nemenyi_is_that_of_scikit_posthocs() -> None:
    found = ranks.nemenyi(ranks.ranks(SCORES))
    for (one, other), p in NEMENYI.items():
        assert found[one, other] == pytest.approx(p, abs=1e-9)
    posthocs = pytest.importorskip("scikit_posthocs")
    rng = np.random.default_rng(0)
    for shape in ((5, 3), (20, 15)):
        scores = rng.normal(size=shape).round(1)
        right = posthocs.posthoc_nemenyi_friedman(-scores).to_numpy()
        assert ranks.nemenyi(ranks.ranks(scores)) == pytest.approx(right, abs=1e-9)


def test_mean_ranks_and_verdicts_are_those_of_autorank() -> None:
    autorank = pytest.importorskip("autorank")
    import pandas as pd

    data = pd.DataFrame(SCORES, columns=list("abcd"))
    right = autorank.autorank(data, verbose=False, force_mode="nonparametric")
    mean = dict(zip("abcd", ranks.ranks(SCORES).mean(axis=0), strict=True))
    assert right.rankdf["meanrank"].to_dict() == pytest.approx(mean, abs=1e-9)
    assert right.pvalue == pytest.approx(ranks.friedman(ranks.ranks(SCORES)).p, abs=1e-9)
    # statsmodels approximates the quantile, scipy integrates.
    assert right.cd == pytest.approx(ranks.critical_difference(4, 14), rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(arrays(np.int8, st.integers(2, 11), elements=st.integers(-6, 6)))
def test_signed_rank_is_that_of_scipy(differences: NDArray[np.int8]) -> None:
    d = differences.astype(np.float64) / 7
    balance, p = ranks.signed_rank(d)
    if not d.any():
        assert (balance, p) == (0.0, 1.0)
        return
    nonzero = differences[differences != 0].astype(np.float64)
    assert p == pytest.approx(stats.wilcoxon(nonzero).pvalue, abs=1e-12)
    assert ranks.signed_rank(-d) == (-balance, p)


def test_signed_rank_of_many_differences_is_that_of_scipy() -> None:
    rng = np.random.default_rng(2)
    for n in (14, 40, 80):
        for digits in (1, 8):
            d = rng.normal(0.2, 1, n).round(digits)
            right = stats.wilcoxon(np.round(d[d != 0] * 10**digits)).pvalue
            assert ranks.signed_rank(d)[1] == pytest.approx(right, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.int8, st.tuples(st.integers(2, 8), st.integers(3, 5)), elements=st.integers(0, 9)),
    st.randoms(use_true_random=False),
)
def test_neither_order_nor_direction_nor_scale_changes_ranks(
    whole: NDArray[np.int8], random: object
) -> None:
    scores = whole.astype(np.float64) / 10
    n, k = scores.shape
    rows, columns = list(range(n)), list(range(k))
    random.shuffle(rows)  # type: ignore[attr-defined]
    random.shuffle(columns)  # type: ignore[attr-defined]
    ranked = ranks.ranks(scores)
    assert (ranks.ranks(-scores, higher=False) == ranked).all()
    assert (ranks.ranks(scores[rows][:, columns]) == ranked[rows][:, columns]).all()
    # Each data set has its own scale.
    assert (ranks.ranks(scores * np.arange(1, n + 1)[:, None]) == ranked).all()
    assert ranked.sum(axis=1) == pytest.approx(k * (k + 1) / 2)
    one, other = ranks.friedman(ranked), ranks.friedman(ranked[rows][:, columns])
    assert one is not None
    assert other is not None
    assert (other.p, other.p_f) == pytest.approx((one.p, one.p_f))
    p = ranks.signed_ranks(scores)
    assert ranks.signed_ranks(scores[rows][:, columns]) == pytest.approx(p[columns][:, columns])


def test_scores_that_differ_by_rounding_are_equal() -> None:
    scores = np.array([[0.1 + 0.2, 0.3, 0.1], [1e9 * (0.1 + 0.2), 1e9 * 0.3, 0.0]])
    assert ranks.ranks(scores).tolist() == [[1.5, 1.5, 3.0], [1.5, 1.5, 3.0]]
    assert ranks.wins(ranks.differences(scores, 0, 1)) == (0, 2, 0)


def test_friedman_where_all_agree_or_all_are_equal() -> None:
    agree = ranks.friedman(ranks.ranks(np.tile([1.0, 2.0, 3.0], (6, 1))))
    assert agree is not None
    assert agree.chi2 == pytest.approx(12)
    assert (agree.f, agree.p_f) == (math.inf, 0.0)
    assert ranks.friedman(ranks.ranks(np.ones((6, 3)))) == ranks.Friedman(0.0, 1.0, 0.0, 1.0)
    assert ranks.friedman(ranks.ranks(SCORES[:, :2])) is None
    assert ranks.friedman(ranks.ranks(SCORES[:1])) is None


def test_bars_join_those_that_do_not_differ() -> None:
    p = np.full((5, 5), 0.001)
    for one, other in ((0, 1), (1, 2), (2, 3), (1, 3)):
        p[one, other] = p[other, one] = 0.5
    # 0-1 and 1-2-3 are whole; 4 differs from all.
    assert ranks.cliques(np.arange(5.0), p) == [(0, 1), (1, 3)]
    assert ranks.cliques(np.arange(5.0), np.ones((5, 5))) == [(0, 4)]
    assert ranks.cliques(np.arange(5.0), np.zeros((5, 5))) == []


def test_wilcoxon_with_holm_keeps_its_level() -> None:
    """Of 120 tables of four equal methods on 12 data sets, some pair differs in at most 5 %."""
    rng, wrong = np.random.default_rng(3), 0
    for _ in range(120):
        p = ranks.signed_ranks(rng.normal(size=(12, 4)))
        wrong += min(holm(p[np.triu_indices(4, 1)].tolist())) <= 0.05
    assert wrong <= 0.05 * 120 + 2 * math.sqrt(120 * 0.05 * 0.95)


# The mean difference


def test_random_effects_are_those_of_published_software() -> None:
    found = hierarchy.random_effects(BCG[:, 0], np.sqrt(BCG[:, 1]))
    # statsmodels 0.15.0: combine_effects(method_re="pm", use_t=True, atol=1e-14).
    assert found.tau**2 == pytest.approx(0.31808243987504614, abs=1e-9)
    assert found.mean == pytest.approx(-0.7149703054401032, abs=1e-9)
    assert found.error == pytest.approx(0.18089453337148503, abs=1e-9)
    assert found.q == pytest.approx(151.81491898583556, abs=1e-9)
    # R's metafor prints for the Paule-Mandel estimate of these data: 0.3181, -0.7150, 0.1809.
    assert found.interval() == pytest.approx((-1.10910564, -0.32083498), abs=1e-8)


def test_random_effects_are_those_of_statsmodels() -> None:
    meta = pytest.importorskip("statsmodels.stats.meta_analysis")
    rng = np.random.default_rng(4)
    compared = 0
    for n in (2, 3, 6, 20):
        for scale in (0.0, 0.3, 1.0):
            d, variances = rng.normal(0, scale + 0.01, n), rng.uniform(0.01, 0.3, n)
            right = meta.combine_effects(
                d, variances, method_re="pm", use_t=True, atol=1e-15, maxiter=1000
            )
            found = hierarchy.random_effects(d, np.sqrt(variances))
            if found.tau:  # what defines it
                total = variances + found.tau**2
                mean = (d / total).sum() / (1 / total).sum()
                assert ((d - mean) ** 2 / total).sum() == pytest.approx(n - 1, rel=1e-9)
            if found.tau and not right.tau2:  # its steps went below 0 and ended there
                continue
            compared += found.tau > 0
            assert found.tau**2 == pytest.approx(right.tau2, rel=1e-7, abs=1e-9)
            assert found.mean == pytest.approx(right.mean_effect_re, abs=1e-9)
            # Hartung and Knapp's, but never below that of the normal model.
            right_error = max(right.sd_eff_w_re, right.sd_eff_w_re_hksj)
            assert found.error == pytest.approx(right_error, abs=1e-9)
    assert compared > 2


def test_without_errors_it_is_the_plain_t_interval() -> None:
    d = np.array([0.03, -0.01, 0.05, 0.02])
    found = hierarchy.random_effects(d, np.zeros(4))
    right = stats.ttest_1samp(d, 0.0)
    assert found.mean == pytest.approx(d.mean())
    assert found.p == pytest.approx(right.pvalue, rel=1e-9)
    assert found.interval() == pytest.approx(tuple(right.confidence_interval(0.95)), rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0.001, 1)), min_size=2, max_size=8),
    st.floats(0.01, 100),
)
def test_the_mean_difference_changes_as_its_data_do(
    data: list[tuple[float, float]], scale: float
) -> None:
    d, errors = np.array(data).T
    found = hierarchy.random_effects(d, errors)
    assert d.min() - 1e-12 <= found.mean <= d.max() + 1e-12
    other = hierarchy.random_effects(d[::-1], errors[::-1])
    assert (other.mean, other.error) == pytest.approx((found.mean, found.error), rel=1e-6, abs=1e-9)
    turned = hierarchy.random_effects(-scale * d, scale * errors)
    assert turned.mean == pytest.approx(-scale * found.mean, rel=1e-6, abs=1e-9)
    assert turned.error == pytest.approx(scale * found.error, rel=1e-6, abs=1e-9)


def test_data_sets_without_spread() -> None:
    assert hierarchy.random_effects([0.1], [0.02]).interval() is None
    same = hierarchy.random_effects([0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    assert (same.mean, same.error, same.p) == (0.0, 0.0, 1.0)
    assert hierarchy.random_effects([0.1, 0.1], [0.0, 0.0]).p == 0.0
    with pytest.raises(ValueError, match="each data set"):
        hierarchy.random_effects([0.1, 0.2], [0.1])


def test_a_solved_data_set_does_not_decide_alone() -> None:
    """On one data set both methods are always right: its standard error would be 0."""
    d = np.array([0.0, 0.01, 0.02])
    variances = hierarchy.moderated([0.0, 0.0004, 0.0004], [9, 9, 9])
    assert (variances > 0).all()
    assert variances[1] < 0.0004
    found = hierarchy.random_effects(d, np.sqrt(variances / 10))
    assert 0.005 < found.mean < 0.012
    assert hierarchy.moderated([None, 0.1], [0, 3])[0] == pytest.approx(0.1)
    assert hierarchy.moderated([None, None], [0, 0]).tolist() == [0.0, 0.0]


def test_the_interval_covers_the_mean_difference() -> None:
    """Five data sets, three seeds each, standard deviations that differ by a factor of ten:
    at least 95 % of 300 intervals, less two standard errors of that share."""
    rng, covered = np.random.default_rng(10), 0
    for _ in range(300):
        sds, true = 0.02 * np.exp(rng.normal(size=5)), rng.normal(0, 0.02, 5)
        seeds = rng.normal(true[:, None], sds[:, None], (5, 3))
        variances = hierarchy.moderated(seeds.var(axis=1, ddof=1).tolist(), [2] * 5)
        found = hierarchy.random_effects(seeds.mean(axis=1), np.sqrt(variances / 3))
        ends = found.interval()
        assert ends is not None
        covered += ends[0] <= 0 <= ends[1]
    assert covered >= 300 * 0.95 - 2 * math.sqrt(300 * 0.95 * 0.05)


# The interquartile mean


def test_the_interquartile_mean_is_that_of_scipy() -> None:
    rng = np.random.default_rng(5)
    strata = [rng.normal(size=10) for _ in range(7)]
    found = bootstrap.stratified(strata)
    right = stats.trim_mean(np.concatenate(strata), 0.25)
    assert found.value == pytest.approx(right, abs=1e-12)
    assert found == bootstrap.stratified(strata)
    assert found != bootstrap.stratified(strata, seed=1)
    assert found.low < found.value < found.high  # type: ignore[operator]


def test_the_bootstrap_interval_is_as_wide_as_it_should_be() -> None:
    """Against the spread of the estimate itself over fresh samples; about 10 % too narrow, as
    percentile intervals of ten values each are."""
    rng = np.random.default_rng(6)
    values = [float(bootstrap.interquartile_mean(rng.normal(size=(5, 10)))) for _ in range(2000)]
    widths = []
    for _ in range(40):
        found = bootstrap.stratified([rng.normal(size=10) for _ in range(5)], samples=400)
        widths.append(found.high - found.low)  # type: ignore[operator]
    right = 2 * 1.96 * float(np.std(values))
    assert 0.8 * right < np.mean(widths) < 1.1 * right


def test_each_data_set_counts_the_same() -> None:
    found = bootstrap.stratified([np.array([0.0, 1.0]), np.full(6, 0.5)])
    assert found.value == pytest.approx(0.5)
    many = bootstrap.stratified([np.array([0.0]), np.full(9, 1.0)])
    assert many.value == pytest.approx(0.5)
    assert bootstrap.stratified([np.array([1.0]), np.array([3.0])]).low is None
    with pytest.raises(ValueError, match="at least one"):
        bootstrap.stratified([])


# Profiles


def test_a_profile_by_hand() -> None:
    inf = math.inf
    times = np.array([[10.0, 20.0, 10.0], [30.0, 15.0, inf], [inf, inf, inf], [0.0, 5.0, 0.0]])
    ratios = profiles.ratios(times)
    assert ratios.tolist() == [[1, 2, 1], [2, 1, inf], [inf, inf, inf], [1, inf, 1]]
    found = profiles.profile(ratios[:, 0])
    assert (found.x.tolist(), found.share.tolist()) == ([1, 2], [0.5, 0.75])
    # Heights 1/2 between 1 and 2 and 3/4 between 2 and 4, over a width of 3.
    assert profiles.profile_score(ratios[:, 0]) == pytest.approx((0.5 + 2 * 0.75) / 3)
    assert profiles.profile_score(ratios[:, 2]) == pytest.approx(0.5)
    assert profiles.profile([]).share.tolist() == []


@settings(max_examples=50, deadline=None)
@given(
    arrays(
        np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)),
        elements=st.one_of(st.just(math.inf), st.floats(0, 1e6)),
    )
)  # fmt: skip
def test_a_profile_score_is_the_area_below_it(times: Values) -> None:
    for one in profiles.ratios(times).T:
        found = profiles.profile(one)
        x = np.clip(np.concatenate([[1.0], found.x, [4.0]]), 1.0, 4.0)
        height = np.concatenate([[0.0], found.share])
        area = float((np.diff(x) * height).sum()) / 3
        assert profiles.profile_score(one) == pytest.approx(area, abs=1e-9)


def test_time_to_target_of_runs_that_never_reach_it() -> None:
    epochs = np.array([0.0, 5.0, 10.0])
    assert profiles.first_reached(epochs, np.array([False, True, False])) == 5
    assert profiles.first_reached(epochs, np.array([False, False, False])) == math.inf
    assert profiles.median([5, 10, math.inf]) == 10
    assert profiles.median([5, math.inf, math.inf]) == math.inf
    assert profiles.median([5, math.inf]) == math.inf
    assert profiles.share_reached([5, math.inf, 3, math.inf]) == 0.5
    assert math.isnan(profiles.median([]))


# Figures


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_repeat(theme: str) -> None:
    def drawn() -> list[bytes]:
        with style.settings(theme) as colours:
            diagram = critical_difference.draw(
                [f"optimizer={name}" for name in "abcdefghijklmno"],
                np.linspace(2.5, 13.5, 15).tolist(),
                [(0, 5), (3, 9)],
                colours,
                difference=4.8,
            )
            curves = [
                performance_profile.Curve(
                    name=name, about="0.5", x=np.array([1.0, 3.0]), share=np.array([0.5, last])
                )
                for name, last in (("a", 0.75), ("b", 0.5))
            ]
            profile = performance_profile.draw(
                curves, colours, title="t", x_label="x", y_label="y", begin=1, end=10, log=True
            )
            return [layout.encode(each, "png", dpi=60) for each in (diagram, profile)]

    assert drawn() == drawn()


# exp results --across, --target


def write_sweep(path: Path, keys: Sequence[str], runs: Sequence[Mapping[str, Any]]) -> None:
    """A sweep of made-up runs, with the files that are read."""
    path.mkdir()
    entries = []
    for number, run in enumerate(runs):
        entries.append(Entry(number, f"{number}-run", tuple(run["words"])))
        where, score, seed = path / f"{number}-run", run["accuracy"], run.get("seed", 0)
        where.mkdir()
        status = "failed" if score is None else "done"
        seeds = dict.fromkeys(("data", "split", "init", "shuffle"), seed)
        data = {"fingerprint": f"{run['words'][0]} {seed}", "split": str(seed)}  # new rows
        record = {"status": status, "seeds": seeds, "data": data, **run.get("record", {})}
        (where / "run.json").write_text(record_text(record))
        if score is not None:
            final = {"test/loss": 1 - score, "test/accuracy": score}
            summary = {"status": status, "final": final, "best": {"epoch": 3}, "epochs": 5}
            (where / "summary.json").write_text(json_text(summary))
        config = {"dataset": {"name": "d0"}, "optimizer": {"name": "a"}}
        (where / "config.yaml").write_text(yaml_text(config))
    (path / "sweep.json").write_text("".join(manifest_lines({"keys": list(keys)}, entries)))


def made_up(
    where: Path,
    scores: Mapping[tuple[str, str], Sequence[float | None]],
    histories: Mapping[tuple[str, str], Sequence[Sequence[float]]] | None = None,
) -> None:
    """A sweep with these scores of (data set, optimizer), a seed each.

    Args:
        histories: test accuracies over the epochs 0, 1, ... of each run.
    """
    runs: list[dict[str, Any]] = []
    for (data, optimizer), some in scores.items():
        for seed, score in enumerate(some):
            words = (f"dataset={data}", f"optimizer={optimizer}", f"seed={seed}")
            timings = {"training": 20.0, "stack": 2, "total": 90.0}
            record = {"timings": timings}
            runs.append({"words": words, "accuracy": score, "seed": seed, "record": record})
    write_sweep(where / "swept", ["dataset", "optimizer", "seed"], runs)
    every = [key for key, some in scores.items() for _ in some]
    for number, key in enumerate(every if histories else ()):
        values = np.array(histories[key][number - every.index(key)])  # type: ignore[index]
        text = history_text({"epoch": np.arange(len(values)), "test/accuracy": values})
        (where / "swept" / f"{number}-run" / "metrics.csv").write_text(text)


def results(where: Path, *words: str) -> Ended:
    return inside(where, "results", "swept", *words)


def compared(where: Path, *words: str) -> dict[str, Any]:
    ended = results(where, "--json", "-", *words)
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


DATA = [f"d{number}" for number in range(9)]


def grid(seeds: int = 4, methods: str = "abc") -> dict[tuple[str, str], list[float | None]]:
    """Method a is best by 0.02 to 0.03, b second, on each of nine data sets."""
    rng = np.random.default_rng(7)
    return {
        (data, method): [
            float(0.4 + 0.05 * at - 0.02 * place + e) for e in rng.uniform(-0.002, 0.002, seeds)
        ]
        for at, data in enumerate(DATA)
        for place, method in enumerate(methods)
    }


def test_methods_over_data_sets(in_tmp: Path) -> None:
    scores = grid()
    made_up(in_tmp, scores)
    found = compared(in_tmp, "--across", "dataset")["across"]
    means = np.array([[np.mean(scores[data, m]) for m in "abc"] for data in DATA])
    names = [each["name"] for each in found["methods"]]
    assert names == ["a", "b", "c"]
    assert [each["mean_rank"] for each in found["methods"]] == [1, 2, 3]
    assert [each["verdict"] for each in found["methods"]] == ["best", "worse", "worse"]
    p = 3 * 2 * 0.5**9
    assert [each["p"] for each in found["methods"]] == [None, pytest.approx(p), pytest.approx(p)]
    for at, each in enumerate(found["methods"][1:], start=1):
        difference = means[:, 0] - means[:, at]
        assert each["difference"] == pytest.approx(difference.mean(), abs=1e-3)
        assert each["difference_low"] < each["difference"] < each["difference_high"]
        assert (each["wins"], each["ties"], each["losses"]) == (0, 0, 9)
        assert each["comparison"].startswith("worse by 0.0")
    assert found["friedman"]["chi2"] == pytest.approx(
        stats.friedmanchisquare(*means.T).statistic, rel=1e-9
    )
    assert found["data_sets"][0]["scores"]["a"] == pytest.approx(means[0, 0])
    text = results(in_tmp, "--across", "dataset").out.splitlines()
    assert "3 methods by optimizer over 9 data sets by dataset" in text[0]
    assert text[1].startswith("Against the best: Wilcoxon signed-rank test over 9 data sets, each")
    assert "p corrected by Holm for the 3 pairs" in text[1]
    assert any(line.startswith("This ranking uses the test rows") for line in text)


def test_nemenyi_and_its_critical_difference(in_tmp: Path) -> None:
    made_up(in_tmp, grid())
    found = compared(in_tmp, "--across", "dataset", "--test", "nemenyi")["across"]
    assert found["critical_difference"] == pytest.approx(2.343 * math.sqrt(12 / 54), abs=1e-3)
    # The difference of neighbours is 1, less than that of 1.105.
    assert [each["verdict"] for each in found["methods"]] == ["best", "undecided", "worse"]
    assert found["bars"] == [["a", "b"], ["b", "c"]]


def test_equivalent_within_a_margin(in_tmp: Path) -> None:
    made_up(in_tmp, grid(methods="ab"))
    methods = compared(in_tmp, "--across", "dataset", "--margin", "0.05")["across"]["methods"]
    assert [each["verdict"] for each in methods] == ["best", "equivalent"]
    assert (methods[1]["wins"], methods[1]["ties"]) == (0, 9)


def test_what_is_missing_is_named_and_not_averaged_over(in_tmp: Path) -> None:
    scores = grid()
    del scores["d0", "c"]
    scores["d1", "b"] = [None, *scores["d1", "b"][1:]]
    for data in DATA:
        scores[data, "z"] = [None] * 4
    made_up(in_tmp, scores)
    found = compared(in_tmp, "--across", "dataset")["across"]
    assert found["left_out"] == {"d0": ["c"]}
    assert found["without_score"] == ["z"]
    first = found["data_sets"][0]
    assert (first["name"], first["units"], first["unused"]) == ("d1", 3, {"a": 1, "c": 1})
    # On the seeds that all have.
    assert first["scores"]["a"] == pytest.approx(np.mean(scores["d1", "a"][1:]))
    out = results(in_tmp, "--across", "dataset").out
    assert "Left out: d0 (no score of c)." in out
    assert "no score on any data set: z" in out
    assert "1 of a on d1, 1 of c on d1" in out


def test_another_key_that_varies_is_compared_value_by_value(in_tmp: Path) -> None:
    """Method b has a value of lr that a lacks on d0; it does not count, though it is far better."""
    runs = []
    for data in DATA[:6]:
        for method in "ab":
            for lr in (1, 2, 3):
                if (data, method, lr) == ("d0", "a", 3):
                    continue
                words = (f"dataset={data}", f"optimizer={method}", f"lr={lr}", "seed=0")
                score = 0.5 + 0.1 * (method == "a") + 0.3 * (lr == 3)
                runs.append({"words": words, "accuracy": score, "seed": 0})
    write_sweep(in_tmp / "swept", ["dataset", "optimizer", "lr", "seed"], runs)
    found = compared(in_tmp, "--across", "dataset", "--by", "optimizer")["across"]
    assert found["within"] == ["lr"]
    assert [each["name"] for each in found["methods"]] == ["a", "b"]
    assert [each["settings"] for each in found["data_sets"]] == [2, 3, 3, 3, 3, 3]
    assert found["data_sets"][0]["scores"] == pytest.approx({"a": 0.6, "b": 0.5})
    assert "value of lr (2 to 3 on a data set)" in results(
        in_tmp, "--across", "dataset", "--by", "optimizer"
    ).out  # fmt: skip
    # By default each value of lr makes methods of its own.
    assert len(compared(in_tmp, "--across", "dataset")["across"]["methods"]) == 6


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(6)), st.booleans())
def test_order_and_direction_do_not_change_the_comparison(order: list[int], loss: bool) -> None:
    rng = np.random.default_rng(8)
    tables = [rng.normal(0, 1, (3, 4)).round(1) for _ in range(6)]

    def found(places: Sequence[int], sign: float) -> Across:
        blocks = tuple(Block(str(at), Design("rows"), sign * tables[at], 1, {}, 0) for at in places)
        return compared_cells(
            Cells(
                ("dataset",), ("m",), (), "x", tuple((m,) for m in "abcd"), tuple("abcd"), blocks,
                {}, (), sign > 0,
            )
        )  # fmt: skip

    one, other = found(range(6), 1.0), found(order, -1.0 if loss else 1.0)
    assert [each.name for each in one.methods] == [each.name for each in other.methods]
    for left, right in zip(one.methods, other.methods, strict=True):
        assert left.mean_rank == pytest.approx(right.mean_rank)
        assert left.p == pytest.approx(right.p)
        assert left.verdict.word == right.verdict.word
        if left.effect is not None and right.effect is not None:
            assert left.effect.mean == pytest.approx(right.effect.mean)
            assert left.effect.error == pytest.approx(right.effect.error)


def test_splits_of_one_table_widen_the_interval() -> None:
    """Nadeau and Bengio's correction: the standard error of each data set has test / train more."""
    rng = np.random.default_rng(9)
    tables = [rng.normal(0, 0.1, (10, 2)) for _ in range(5)]

    def error(design: Design) -> float:
        blocks = tuple(Block(str(at), design, each, 1, {}, 0) for at, each in enumerate(tables))
        made = Cells(
            ("dataset",), ("m",), (), "x", (("a",), ("b",)), ("a", "b"), blocks, {}, (), True
        )
        effect = compared_cells(made).methods[1].effect
        assert effect is not None
        return float(effect.error or 0)

    assert error(Design("splits", 0.25)) > 1.5 * error(Design("rows"))


# Time to target


def climbing(reached: int | None, epochs: int = 10) -> list[float]:
    """Accuracies of 0.9 from an epoch on, or never."""
    return [0.9 if reached is not None and at >= reached else 0.5 for at in range(epochs + 1)]


def test_time_to_target_of_groups(in_tmp: Path) -> None:
    scores = {("d", m): [0.9, 0.9, 0.9, 0.9] for m in "abc"}
    histories = {
        ("d", "a"): [climbing(2), climbing(4), climbing(6), climbing(None)],
        ("d", "b"): [climbing(1), climbing(None), climbing(None), climbing(None)],
        ("d", "c"): [climbing(3), climbing(3), climbing(None), climbing(None)],
    }
    made_up(in_tmp, scores, histories)
    groups = compared(in_tmp, "--target", "test/accuracy>=0.9")["target"]["groups"]
    assert [each["target_reached"] for each in groups] == [3, 1, 2]
    assert [each["median_epochs"] for each in groups] == [5, None, None]
    # Two runs trained in the 20 s that the ten epochs took: 1 s for each epoch of each.
    assert groups[0]["median_seconds"] == pytest.approx(5)
    assert groups[0]["epochs"] == [2, 4, 6, None]
    table = results(in_tmp, "--target", "accuracy>=0.9").out
    assert "Time to target test/accuracy>=0.9: 12 runs" in table
    first = next(line for line in table.splitlines() if line.startswith("d "))
    assert first.split() == ["d", "a", "3", "of", "4", "5", "5.0000"]
    rows = results(in_tmp, "--target", "accuracy>=0.9", "--csv", "-").out.splitlines()
    assert rows[0].endswith("target,target_runs,target_reached,median_epochs,median_seconds")
    assert sum(row.endswith("test/accuracy>=0.9,4,3,5.0,5.0") for row in rows) == 1


def test_time_to_target_over_data_sets(in_tmp: Path) -> None:
    scores = {(data, m): [0.9, 0.8] for data in DATA[:4] for m in "ab"}
    first = {"d0": (2, 4), "d1": (3, 3), "d2": (None, 5), "d3": (None, None)}
    histories = {
        (data, m): [climbing(first[data][at])] * 2 for data in DATA[:4] for at, m in enumerate("ab")
    }
    made_up(in_tmp, scores, histories)
    found = compared(in_tmp, "--across", "dataset", "--target", "test/accuracy>=0.9")
    a, b = ({each["name"]: each for each in found["across"]["methods"]}[m] for m in "ab")
    # a: ratios 1, 1, inf, inf; b: 2, 1, 1, inf.
    assert a["profile_epochs"] == pytest.approx(2 / 4)
    assert b["profile_epochs"] == pytest.approx((2 / 3 + 1 + 1) / 4)
    assert (a["target_data_sets"], b["target_data_sets"]) == (2, 3)
    assert (a["target_share"], b["target_share"]) == (0.5, 0.75)
    assert found["target"]["data_sets"][2]["median_epochs"] == {"a": None, "b": 5}
    assert "2 of 4" in results(in_tmp, "--across", "dataset", "--target", "accuracy>=0.9").out


def test_runs_that_failed_or_still_run(in_tmp: Path) -> None:
    """A failed run never reaches the target; one that has not ended is not counted."""
    scores: dict[tuple[str, str], list[float | None]] = {("d", "a"): [0.9, None], ("d", "b"): [0.9]}
    histories = {("d", "a"): [climbing(2), climbing(2)], ("d", "b"): [climbing(2)]}
    made_up(in_tmp, scores, histories)
    (in_tmp / "swept/1-run/metrics.csv").unlink()
    path = in_tmp / "swept/2-run/run.json"
    record = json.loads(path.read_text())
    record.pop("sha256")
    path.write_text(record_text({**record, "status": "interrupted"}))
    groups = compared(in_tmp, "--target", "accuracy>=0.9")["target"]["groups"]
    assert [(each["target_runs"], each["target_reached"]) for each in groups] == [(2, 1), (0, 0)]
    assert groups[1]["not_counted"] == {"interrupted": 1}
    assert "Not counted, as they may still reach it: 1 interrupted." in results(
        in_tmp, "--target", "accuracy>=0.9"
    ).out  # fmt: skip


# Mistakes


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--across", "datset"], "--across: unknown key 'datset'. Did you mean 'dataset'?"),
        (["--across", "dataset", "--where", "dataset=d0"], "there is only one value (d0)"),
        (["--across", "dataset", "--where", "optimizer=a"], "only a has scores"),
        (["--across", "dataset", "--test", "t"], "--test with --across: unknown test 't'"),
        (["--across", "seed"], "seed is a seed; without --across"),
        (["--across", ""], "--across: expected keys, such as dataset"),
        (["--across", "optimizer"], "there is only one method (nothing else varies but"),
        (["--across", "dataset", "--by", "dataset"], "--by dataset makes no method"),
        (["--across", "dataset", "--top", "2"], "--sort and --top: not with --across"),
        (["--test", "nemenyi"], "--test: unknown test 'nemenyi'"),
        (["--target", "accuracy"], "--target: expected a score, one of"),
        (["--target", "accuracy=1"], "--target: expected a score, one of"),
        (["--target", "acuracy>=1"], "--target: unknown column of metrics.csv 'acuracy'"),
        (["--across", "dataset", "--target", "f1>1"], "unknown column of metrics.csv 'f1'"),
    ],
)  # fmt: skip
def test_mistakes_of_a_newcomer(in_tmp: Path, words: list[str], message: str) -> None:
    made_up(
        in_tmp,
        {(data, m): [0.9, 0.8] for data in DATA[:3] for m in "ab"},
        {(data, m): [climbing(1)] * 2 for data in DATA[:3] for m in "ab"},
    )
    ended = results(in_tmp, *words)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert "Traceback" not in ended.err


def test_one_method_only(in_tmp: Path) -> None:
    runs = [{"words": (f"dataset={d}", "seed=0"), "accuracy": 0.9} for d in DATA]
    write_sweep(in_tmp / "swept", ["dataset", "seed"], runs)
    ended = results(in_tmp, "--across", "dataset")
    assert ended.code == 2
    assert "there is only one method (nothing else varies but dataset)" in ended.err


def test_methods_that_differ_on_each_data_set(in_tmp: Path) -> None:
    runs = [
        {"words": (f"dataset={d}", f"trainer.epochs={at}", f"optimizer={m}"), "accuracy": 0.9}
        for at, d in enumerate(DATA)
        for m in "ab"
    ]
    write_sweep(in_tmp / "swept", ["dataset", "trainer.epochs", "optimizer"], runs)
    ended = results(in_tmp, "--across", "dataset")
    assert ended.code == 2
    assert "--by KEYS names the keys that make a method" in ended.err
    assert results(in_tmp, "--across", "dataset", "--by", "optimizer").code == 0


# A real sweep


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three optimizers on four data sets, two seeds each."""
    where = tmp_path_factory.mktemp("across")
    ended = inside(
        where, "-m", "dataset=moons,circles,xor,iris", "optimizer=sgd,adam,rmsprop",
        "seed=range(0,2)", "trainer.epochs=8", "figures=none", "sweep.dir=swept",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return where


def test_a_real_sweep(swept: Path, tmp_path: Path) -> None:
    words = ["--across", "dataset", "--target", "accuracy>=0.6", "--figures", str(tmp_path / "f")]
    found = compared(swept, *words)
    across = found["across"]
    assert len(across["data_sets"]) == 4
    # Tables are split anew for each seed, generated rows are drawn anew.
    designs = {each["name"]: each["design"] for each in across["data_sets"]}
    assert designs == {"moons": "rows", "circles": "rows", "xor": "rows", "iris": "splits"}
    assert sorted(each["name"] for each in across["methods"]) == ["adam", "rmsprop", "sgd"]
    assert sum(each["mean_rank"] for each in across["methods"]) == pytest.approx(6)
    drawn = {path.stem for path in (tmp_path / "f").iterdir()}
    assert drawn >= {"critical_difference", "performance_profile", "target_profile"}
    # Four data sets are too few for three pairs, and that is said.
    assert {each["verdict"] for each in across["methods"][1:]} == {"undecided"}
    assert all(each["data_sets_needed"] >= 7 for each in across["methods"][1:])


def test_tables_of_a_real_sweep(swept: Path, tmp_path: Path) -> None:
    import pandas as pd

    words = ["--across", "dataset", "--target", "accuracy>=0.6"]
    ended = results(
        swept, *words, "--csv", str(tmp_path / "a.csv"), "--parquet", str(tmp_path / "a.parquet")
    )
    assert ended.code == 0, ended.err
    methods = compared(swept, *words)["across"]["methods"]
    for table in (pd.read_csv(tmp_path / "a.csv"), pd.read_parquet(tmp_path / "a.parquet")):
        assert table["optimizer"].tolist() == [each["name"] for each in methods]
        for name in ("mean_rank", "difference", "interquartile_low", "p", "profile_epochs"):
            right = [math.nan if each[name] is None else each[name] for each in methods]
            assert table[name].astype(float).tolist() == pytest.approx(right, nan_ok=True)


def test_from_python(swept: Path) -> None:
    from exp import results as table

    methods = compared(swept, "--across", "dataset")["across"]["methods"]
    found = table(swept / "swept", across="dataset", target="accuracy>=0.6")
    assert found["mean_rank"].tolist() == [each["mean_rank"] for each in methods]
    assert set(found["target"]) == {"test/accuracy>=0.6"}
    nemenyi = table(swept / "swept", across=["dataset"], test="nemenyi", arrays=True)
    assert nemenyi["p"][1] == pytest.approx(
        stats.studentized_range.sf(
            (nemenyi["mean_rank"][1] - nemenyi["mean_rank"][0]) * math.sqrt(4), 3, np.inf
        )
    )
    groups = table(swept / "swept", target="accuracy>=0.6")
    assert groups["target_runs"].tolist() == [2] * 12


def test_a_target_of_a_real_sweep(swept: Path, tmp_path: Path) -> None:
    words = ["--where", "dataset=moons", "--target", "accuracy>=0.6"]
    found = compared(swept, *words, "--figures", str(tmp_path / "f"))
    assert (tmp_path / "f/time_to_target.png").exists()
    for each in found["target"]["groups"]:
        for epochs, seconds in zip(each["epochs"], each["seconds"], strict=True):
            assert (epochs is None) == (seconds is None)
            assert epochs is None or 0 <= epochs <= 8
            assert seconds is None or 0 <= seconds < 60
