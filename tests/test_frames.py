"""frames.npz and norms.csv: what is recorded of a run on its way, for its pictures."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from commands import inside, read_csv
from conftest import make_plan
from exp.engine import Job, Recording, Result, Training, capture, train
from exp.engine.boundary_frames import calendar
from exp.plotting.frames import SWEEP_FRAMES, SWEEP_GRID, Frames
from exp.util.errors import ConfigError, DamagedError
from exp.util.npz import packed, unpacked
from hooks import BetweenEpochs
from test_same_bits import CONFIGS, assert_same

ALL = {
    "name": "standard", "draw": ["norms"], "frames": SWEEP_FRAMES, "frame_resolution": SWEEP_GRID,
}  # fmt: skip
SMALL = ("dataset.n_samples=60", "figures.draw=[data,norms]", "figures.dpi=40")


def recorded(seed: int = 3, **parts: Any) -> Job:
    parts["trainer"] = {"epochs": 20, **parts.get("trainer", {})}
    return Job.of(make_plan(seed=seed, **{"figures": ALL, **parts}))


def bytes_of(result: Result) -> tuple[bytes, list[bytes]]:
    recording = result.recording
    assert recording.norms is not None
    norms = [column.tobytes() for column in recording.norms.values()]
    if result.job.data.data.numeric:  # has no decisions, so no frames
        assert recording.frames is None
        return b"", norms
    assert recording.frames is not None
    return recording.frames.to_bytes(), norms


# --- which epochs --------------------------------------------------------------------------------


@given(st.integers(1, 100_000), st.integers(0, 200), st.booleans())
def test_a_calendar_begins_at_the_start_and_ends_at_the_end(
    epochs: int, frames: int, early: bool
) -> None:
    found = calendar(epochs, frames, early=early)
    assert len(found) == min(epochs, frames)
    assert sorted(set(found)) == found
    if found:
        assert found[-1] == epochs - 1
        assert found[0] == 0 or len(found) == 1
    gaps = np.diff(found)
    assert len(gaps) < 2 or gaps[0] <= gaps[-1] + 1  # denser at the start


def test_the_usual_calendar() -> None:
    assert calendar(1000, 16, early=False) == [
        0, 1, 2, 8, 19, 37, 64, 102, 152, 216, 296, 394, 511, 650, 812, 999,
    ]  # fmt: skip
    assert calendar(5, 16, early=False) == [0, 1, 2, 3, 4]
    # Whenever a run stops early, some frames have been taken.
    assert sum(epoch < 200 for epoch in calendar(100_000, 16, early=True)) >= 7


# --- what they show ------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["moons", "spirals", "iris"])
def test_the_last_frame_is_the_model_s_own_answer(dataset: str) -> None:
    job = recorded(dataset=dataset)
    (result,) = train([job])
    frames = result.recording.frames
    assert frames is not None
    xs, ys, points = job.view.grid(SWEEP_GRID)
    chances = result.predictor.probabilities(result.predictor.logits(points))
    shown = chances[:, 1:] if dataset == "moons" else chances
    expected = np.round(shown * 255).astype(int).T.reshape(-1, SWEEP_GRID, SWEEP_GRID)
    # A product of other shape may differ in its last bit, and so a rounding.
    assert np.abs(frames.probabilities[-1].astype(int) - expected).max() <= 1
    assert (frames.xs == xs).all()
    assert (frames.ys == ys).all()
    assert frames.epochs.tolist() == calendar(20, 16, early=False)
    assert frames.classes == job.data.data.classes
    assert frames.axes == job.view.plane.axes
    assert frames.map(0).shape == (len(frames.classes), SWEEP_GRID, SWEEP_GRID)
    assert np.abs(frames.map(0).sum(axis=0) - 1).max() < 0.01


def test_a_map_s_rows_go_up_and_its_columns_across() -> None:
    job = recorded(dataset="moons", trainer={"epochs": 300}, optimizer={"lr": 0.5})
    (result,) = train([job])
    frames = result.recording.frames
    assert frames is not None
    low, high = frames.map(-1)[1][0].mean(), frames.map(-1)[1][-1].mean()
    assert low > 0.8 > 0.2 > high  # the lower moon is class 1


# --- the same bits -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONFIGS)
def test_alone_and_in_stacks(name: str) -> None:
    parts = dict(CONFIGS[name])
    job = recorded(**parts)
    (alone,) = train([job])
    for runs, position in ((2, 1), (7, 3)):
        # Neighbours may want none, or others.
        wishes: list[Any] = [ALL, "none", {**ALL, "frames": 3, "frame_resolution": 16}]
        others = [
            recorded(seed=50 + i, **{**parts, "figures": wishes[i % 3]}) for i in range(runs - 1)
        ]
        jobs = [*others[:position], job, *others[position:]]
        together = train(jobs)
        assert bytes_of(together[position]) == bytes_of(alone)
        for other, result in zip(jobs, together, strict=True):
            framed = other.plan.figures is not None and not other.data.data.numeric
            assert (result.recording.frames is not None) == framed


@pytest.mark.parametrize("name", CONFIGS)
def test_training_does_not_notice(name: str) -> None:
    before = torch.random.get_rng_state()
    (watched,) = train([recorded(**CONFIGS[name])])
    (alone,) = train([recorded(**{**CONFIGS[name], "figures": "none"})])
    assert torch.equal(torch.random.get_rng_state(), before)
    assert_same(alone, watched)
    assert alone.checkpoint[1] == watched.checkpoint[1]
    for key, tensor in alone.checkpoint[0].items():
        assert torch.equal(tensor, watched.checkpoint[0][key]), key
    assert alone.recording == Recording()


def test_a_run_that_stops_early_ends_with_its_last_epoch() -> None:
    trainer = {"epochs": 500, "early_stopping": 3, "min_delta": 0.01}
    job = recorded(trainer=trainer)
    (result,) = train([job])
    frames = result.recording.frames
    assert result.end_reason == "stopped"
    assert frames is not None
    assert frames.epochs[-1] == result.epochs - 1 < 499
    assert len(frames) >= 4
    assert bytes_of(train([recorded(seed=8, trainer=trainer), job])[1]) == bytes_of(result)


def test_a_run_that_diverges_ends_with_finite_weights() -> None:
    job = recorded(optimizer={"lr": 1e30})
    results = train([recorded(seed=4), job])
    result = results[1]
    frames = result.recording.frames
    assert result.end_reason == "diverged"
    assert frames is not None
    assert frames.epochs[-1] == result.epochs - 1
    chances = result.predictor.probabilities(result.predictor.logits(job.view.grid(SWEEP_GRID)[2]))
    expected = np.round(chances[:, 1] * 255).astype(int).reshape(SWEEP_GRID, SWEEP_GRID)
    assert np.abs(frames.probabilities[-1, 0].astype(int) - expected).max() <= 1
    assert bytes_of(results[0]) == bytes_of(train([recorded(seed=4)])[0])


# --- norms ---------------------------------------------------------------------------------------


def test_norms_are_those_of_the_weights_and_their_gradients() -> None:
    job = recorded(trainer={"epochs": 4, "eval_every": 2})
    seen: list[tuple[int, list[float]]] = []

    def look(training: Training) -> None:
        model = training.stack.model
        both = (model.parameters.values, model.parameters.gradients)
        named = [dict(model.slices(flat)) for flat in both]
        sizes = [float(part[f"{layer}.weight"][0].norm()) for part in named for layer in (0, 2, 4)]
        seen.append((training.epoch - 1, sizes))

    (result,) = train([job], hooks=[BetweenEpochs(look)])
    norms = result.recording.norms
    assert norms is not None
    kinds = ("weight", "gradient")
    assert list(norms) == ["epoch", *(f"{k}/{n}.weight" for k in kinds for n in (0, 2, 4))]
    assert norms["epoch"].tolist() == [0, 2, 3]
    for place, epoch in enumerate((0, 2)):
        found = [float(norms[name][place]) for name in list(norms)[1:]]
        assert found == pytest.approx(dict(seen)[epoch], rel=1e-5)


# --- going on ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [{}, {"trainer": {"early_stopping": 2, "min_delta": 0.02}}, {"optimizer": {"lr": 3e4}}],
    ids=["done", "stopped", "diverged"],
)
def test_going_on_records_as_if_nothing_had_happened(parts: dict[str, Any]) -> None:
    from exp.runs.metrics_file import history_of, history_text

    job = recorded(**parts)
    saved: dict[int, Any] = {}

    def keep(training: Training) -> None:
        if training.stack.runs:
            saved[training.epoch] = capture(training, 0), training.recorder.recording(0)

    (whole,) = train([job], hooks=[BetweenEpochs(keep)])
    assert saved
    for epoch, (start, recording) in saved.items():
        assert recording.frames is not None
        assert recording.norms is not None
        frames = Frames.from_bytes(recording.frames.to_bytes())
        norms = history_of(history_text(recording.norms).encode())
        (again,) = train([job], start={0: start}, recordings={0: Recording(frames, norms)})
        assert bytes_of(again) == bytes_of(whole), epoch
    # what is written after the last epoch and read again before nothing is left to train
    again = train([job], start={0: whole.checkpoint}, recordings={0: whole.recording})[0]
    assert bytes_of(again) == bytes_of(whole)


def test_a_crash_and_resume_leave_the_same_files(in_tmp: Path) -> None:
    words = (*SMALL, "trainer.epochs=30", "trainer.checkpoint_every=7", "model.dropout=0.1")
    whole = inside(in_tmp, *words, "hydra.run.dir=whole")
    assert whole.code == 0, whole.err
    inside(in_tmp, *words, "run.reuse=false", "hydra.run.dir=broken")
    broken = in_tmp / "broken"
    record = json.loads((broken / "run.json").read_text())
    # As a kill during the last files leaves it: newer frames than the checkpoint, no other files.
    job = Job.of(make_plan(**parts_of(broken)))
    saved: dict[int, Any] = {}

    def keep(training: Training) -> None:
        saved[training.epoch] = capture(training, 0)

    train([job], hooks=[BetweenEpochs(lambda now: keep(now) if now.epoch == 14 else None)])
    from exp.runs import checkpoint
    from exp.runs.directory import RunDirectory

    directory = RunDirectory(broken)
    directory.write_all(checkpoint.content(directory, "last", *saved[14]))
    record |= {"status": "interrupted", "digests": directory.digests()}
    del record["sha256"]
    directory.write_record(record)
    for name in ("metrics.csv", "summary.json"):
        (broken / name).unlink()
    record["digests"] = directory.digests()
    directory.write_record(record)
    ended = inside(in_tmp, "resume", "broken")
    assert ended.code == 0, ended.err
    for name in ("frames.npz", "norms.csv", "metrics.csv", "figures/norms.png"):
        assert (broken / name).read_bytes() == (in_tmp / "whole" / name).read_bytes(), name
    assert "frames.npz" in json.loads((broken / "run.json").read_text())["digests"]


def parts_of(run: Path) -> dict[str, Any]:
    import yaml

    config = yaml.safe_load((run / "config.yaml").read_text())
    return {key: value for key, value in config.items() if key != "plugins"}


def test_a_damaged_file_is_named(in_tmp: Path) -> None:
    from exp.runs.directory import RunDirectory
    from exp.runs.resume_state import recording_before

    assert recording_before(RunDirectory(in_tmp), 3) == Recording()
    for name in ("frames.npz", "norms.csv"):
        (in_tmp / name).write_bytes(b"no such thing")
        with pytest.raises(DamagedError, match=rf"{name} is corrupted"):
            recording_before(RunDirectory(in_tmp), 3)
        (in_tmp / name).unlink()


def test_what_another_run_recorded_is_refused() -> None:
    job, other = recorded(), recorded(dataset="iris", model={"hidden": [3]})
    (mine,), (theirs,) = train([job]), train([other])
    for recording, name in (
        (Recording(theirs.recording.frames, None), "frames.npz"),
        (Recording(None, theirs.recording.norms), "norms.csv"),
    ):
        with pytest.raises(DamagedError, match=f"{name} belongs to another run"):
            train([job], start={0: mine.checkpoint}, recordings={0: recording})


# --- files ---------------------------------------------------------------------------------------


def test_a_single_run_has_many_fine_frames_and_a_sweep_few(in_tmp: Path) -> None:
    words = ("dataset.n_samples=40", "trainer.epochs=70", "figures.draw=[data]", "figures.dpi=30")
    ended = inside(in_tmp, *words, "hydra.run.dir=single")
    assert ended.code == 0, ended.err
    ended = inside(in_tmp, "-m", *words, "seed=1,2", "sweep.dir=swept", "sweep.n_jobs=1")
    assert ended.code == 0, ended.err
    found = {
        path.parent: Frames.from_bytes(path.read_bytes()) for path in in_tmp.rglob("frames.npz")
    }
    single = found.pop(in_tmp / "single")
    assert single.probabilities.shape == (60, 1, 80, 80)
    assert single.epochs[[0, -1]].tolist() == [0, 69]
    assert len(found) == 2
    for path, each in found.items():
        assert each.probabilities.shape == (16, 1, 40, 40)
        # So the same run alone, from its own config, records the same.
        figures = parts_of(path)["figures"]
        assert (figures["frames"], figures["frame_resolution"]) == (16, 40)


def test_none_where_none_are_asked_for(in_tmp: Path) -> None:
    for words in (["figures=none"], ["figures.frames=0", "figures.draw=[data]"]):
        ended = inside(in_tmp, "dataset.n_samples=40", "trainer.epochs=2", *words)
        assert ended.code == 0, ended.err
    assert len(list(in_tmp.rglob("run.json"))) == 2
    assert not list(in_tmp.rglob("frames.npz"))
    assert not list(in_tmp.rglob("norms.csv"))


def test_they_change_no_other_file_and_no_signature(in_tmp: Path) -> None:
    common = ("dataset.n_samples=60", "trainer.epochs=9", "trainer.checkpoint_every=4")
    for name, words in (("none", ["figures=none"]), ("all", ["figures=all", "figures.dpi=30"])):
        ended = inside(in_tmp, *common, *words, "run.reuse=false", f"hydra.run.dir={name}")
        assert ended.code == 0, ended.err
    one, other = (json.loads((in_tmp / n / "run.json").read_text()) for n in ("none", "all"))
    assert one["signature"] == other["signature"]
    shared = {"metrics.csv", "summary.json", "predictions.csv"}
    shared |= {name for name in one["digests"] if name.startswith("checkpoints/")}
    assert len(shared) == 7
    for name in shared:
        assert one["digests"][name] == other["digests"][name], name
    rest = set(other["digests"]) - set(one["digests"])
    assert {"frames.npz", "norms.csv", "figures/boundary.webp"} <= rest
    assert all(n.startswith("figures/") for n in rest - {"frames.npz", "norms.csv"})
    table = read_csv(in_tmp / "all" / "norms.csv")
    assert table["epoch"].tolist() == [str(epoch) for epoch in range(9)]


def test_a_run_that_records_more_came_out_the_same(in_tmp: Path) -> None:
    words = (*SMALL[:1], "figures.draw=[data]", "figures.dpi=40", "trainer.epochs=5")
    assert inside(in_tmp, *words, "figures.frames=0", "hydra.run.dir=one").code == 0
    ended = inside(in_tmp, "rerun", "one", "figures.frames=3", "--into", "other")
    assert ended.out.endswith("bit-identical\n"), ended.out
    assert (in_tmp / "other" / "frames.npz").exists()
    # Where both have recorded, a difference is one.
    ended = inside(in_tmp, "rerun", "other", "figures.frames=2", "--into", "third")
    assert "not the same bytes: frames.npz" in ended.out


def test_the_file_is_what_the_contract_says(in_tmp: Path) -> None:
    ended = inside(in_tmp, *SMALL[1:], "dataset=iris", "trainer.epochs=6", "figures.frames=4")
    assert ended.code == 0, ended.err
    with np.load(ended.run / "frames.npz", allow_pickle=False) as stored:
        content = dict(stored)
    kinds = {name: (str(array.dtype)[:3], array.shape) for name, array in content.items()}
    assert kinds == {
        "epochs": ("int", (4,)), "xs": ("flo", (80,)), "ys": ("flo", (80,)),
        "probabilities": ("uin", (4, 3, 80, 80)), "classes": ("<U1", (3,)),
        "axes": ("<U1", (2,)), "note": ("<U1", ()), "points": ("flo", (150, 2)),
        "labels": ("uin", (150,)), "predicted": ("uin", (150,)), "split": ("uin", (150,)),
    }  # fmt: skip
    assert content["epochs"].tolist() == [0, 1, 2, 5]
    # The rows are those of predictions.csv, in the same order.
    rows = read_csv(ended.run / "predictions.csv")
    codes = [["train", "validation", "test"].index(name) for name in rows["split"]]
    assert content["split"].tolist() == codes
    classes = content["classes"].tolist()
    for column, name in (("labels", "label"), ("predicted", "predicted")):
        assert [classes[label] for label in content[column]] == rows[name].tolist()
    (low, high), (left, right) = content["ys"][[0, -1]], content["xs"][[0, -1]]
    assert (content["points"] >= (left, low)).all()
    assert (content["points"] <= (right, high)).all()


def test_of_many_rows_some_are_kept_and_few_bytes() -> None:
    rows = 30_000
    found = frames().with_rows(
        np.full((rows, 2), np.arange(rows)[:, None]), np.arange(rows) % 2, np.zeros(rows, int),
        np.repeat([0, 2], rows // 2),
    )  # fmt: skip
    assert len(found.points) == 1000
    assert (found.points[0, 0], found.points[-1, 0]) == (0, rows - 1)
    assert np.bincount(found.split).tolist() == [500, 0, 500]
    assert len(found.to_bytes()) - len(frames().to_bytes()) < 14_000
    assert Frames.from_bytes(found.to_bytes()).to_bytes() == found.to_bytes()


# --- npz -----------------------------------------------------------------------------------------


def frames(count: int = 3, kinds: int = 2, **changes: Any) -> Frames:
    rng = np.random.default_rng(0)
    shape = (count, 1 if kinds == 2 else kinds, 5, 4)
    given = {
        "epochs": np.arange(count), "xs": np.arange(4.0), "ys": np.arange(5.0),
        "probabilities": rng.integers(0, 256, shape).astype(np.uint8),
        "classes": tuple("abcdef"[:kinds]), "axes": ("x", "y"), "note": "n",
    }  # fmt: skip
    return Frames(**(given | changes))


@pytest.mark.parametrize("note", ["", "a plane; a slice \u00e4"])
def test_frames_survive_their_bytes_which_repeat(
    note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    given = frames(kinds=3, note=note)
    data = given.to_bytes()
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert Frames.from_bytes(data).to_bytes() == data == given.to_bytes()
    copy = Frames.from_bytes(data)
    assert (copy.note, copy.classes, copy.axes) == (note, ("a", "b", "c"), ("x", "y"))
    assert (copy.probabilities == given.probabilities).all()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"epochs": np.array([1, 1, 2])}, "epochs: expected finite, increasing"),
        ({"xs": np.zeros(4)}, "xs: expected finite, increasing"),
        ({"classes": ("a", "b", "c")}, "probabilities: expected"),
        ({"axes": ("x",)}, "two axes"),
    ],
)
def test_frames_that_do_not_fit_are_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        frames(**changes)


def npy(header: bytes, body: bytes = b"") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        length = len(header).to_bytes(2, "little")
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + length + header + body)
    return target.getvalue()


def test_a_stranger_s_file_is_bounded_and_never_a_pickle() -> None:
    huge = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n"
    with pytest.raises(ValueError, match="match its header"):
        unpacked(npy(huge, b"12345678"), ["a"])
    target = io.BytesIO()
    np.savez(target, a=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="does not match"):
        unpacked(target.getvalue(), ["a"])
    bomb = packed({"a": np.zeros(1 << 20)})
    assert len(bomb) < 100_000
    with pytest.raises(ValueError, match="at most 1,000"):
        unpacked(bomb, ["a"], most=1000)
    for data in (b"", b"PK", bomb[: len(bomb) // 2]):
        with pytest.raises(ValueError, match="not an npz file"):
            unpacked(data, ["a"])
    with pytest.raises(ValueError, match="epochs is missing"):
        Frames.from_bytes(bomb)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_give_frames_or_a_value_error(noise: bytes, place: int) -> None:
    data = frames().to_bytes()
    data = data[:place] + noise + data[place + len(noise) :]
    with contextlib.suppress(ValueError):
        Frames.from_bytes(data)


# --- the plane -----------------------------------------------------------------------------------


def test_named_features_are_the_axes_and_the_others_stand_at_their_median() -> None:
    figures = {"name": "standard", "plane": ["petal width", "sepal length"]}
    job = Job.of(make_plan(dataset="iris", figures=figures, split={"standardize": True}))
    data = job.data.data
    assert job.view.plane.axes == ("petal width [cm]", "sepal length [cm]")
    assert job.view.plane.note == "two of 4 features"
    xs, ys, points = job.view.grid(5)
    raw = points * job.data.scale + job.data.mean
    train_rows = data.X[job.data.split.train]
    medians = np.median(train_rows, axis=0)
    names = list(data.features)
    for name in ("sepal width", "petal length"):
        assert raw[:, names.index(name)] == pytest.approx(medians[names.index(name)], rel=1e-5)
    assert raw[:, names.index("petal width")].reshape(5, 5)[2] == pytest.approx(xs, rel=1e-4)
    assert raw[:, names.index("sepal length")].reshape(5, 5)[:, 2] == pytest.approx(ys, rel=1e-4)


def test_unknown_features_are_told_before_anything_starts(in_tmp: Path) -> None:
    words = ("dataset=iris", "figures.plane=[petal lenght,color]")
    for more in ((), ("-m", "seed=1,2")):
        ended = inside(in_tmp, *more, *words)
        assert ended.code == 2
        assert ended.err == (
            "exp: 2 faults in the config; nothing was started\n"
            "  figures.plane.0  unknown feature 'petal lenght'. Did you mean 'petal length'? "
            "Known: sepal length, sepal width, petal length, petal width\n"
            "  figures.plane.1  unknown feature 'color'. "
            "Known: sepal length, sepal width, petal length, petal width\n"
        )
        assert list(in_tmp.iterdir()) == []


def test_two_different_features_are_wanted() -> None:
    with pytest.raises(ConfigError, match="expected two different features, found 'x1' twice"):
        make_plan(figures={"name": "standard", "plane": ["x1", "x1"]})
    with pytest.raises(ConfigError, match="needs at least 2 frames, found 1"):
        make_plan(figures={"name": "standard", "animation": True, "frames": 1})


def test_a_flipped_byte_is_a_value_error_wherever_it_is() -> None:
    data = bytearray(frames(count=400).to_bytes())  # large enough to be packed
    refused = 0
    for place in range(0, len(data), 3):
        data[place] ^= 0x41
        try:
            Frames.from_bytes(bytes(data))
        except ValueError:
            refused += 1
        data[place] ^= 0x41
    assert refused > len(data) // 10


def test_arrays_that_nobody_asked_for_are_not_unpacked() -> None:
    small, large = np.zeros(4), np.zeros(1 << 20)
    data = packed({"a": small, "b": large, "c": large})
    assert list(unpacked(data, ["a"], most=1000)) == ["a"]
    with pytest.raises(ValueError, match="at most 10,000,000"):
        unpacked(data, ["a", "b", "c"], most=10_000_000)
