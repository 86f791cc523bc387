"""Methods compared over data sets: ranks, the mean difference, profiles, time to target."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

from exp.plotting import critical_difference, layout, performance_profile, style
from exp.report.statistics import bootstrap, hierarchy, profiles, ranks
from exp.report.statistics.corrections import holm

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
