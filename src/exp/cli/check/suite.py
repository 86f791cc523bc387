"""Runs the tests of this folder on components."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from exp.cli.check.subject import Subject, registered
from exp.config import plugins
from exp.util.errors import ComponentError, ExpError, unknown

FOLDER = Path(__file__).parent
OPTIONS = (
    # Nothing of the settings, plugins and outputs of a project of the user's.
    "-c", os.devnull, f"--rootdir={FOLDER.parents[2]}", "--noconftest", "--import-mode=importlib",
    "-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:logging",
    "-p", "no:threadexception", "-p", "no:unraisableexception", "-W", "ignore", "-s",
)  # fmt: skip
"""Of pytest, which may run within a test of the user's."""


@dataclass(frozen=True)
class Outcome:
    """What came of a test on a component.

    Attributes:
        subject: the component, `kind=name`.
        check: the test, in a word or two.
        promise: what it expects.
        found: what it found instead; None: the promise is kept.
    """

    subject: str
    check: str
    promise: str
    found: str | None

    @property
    def line(self) -> str:
        title = f"{self.subject}  {self.check}: "
        if self.found is None:
            return f"ok    {title}{self.promise}"
        return f"FAIL  {title}expected {self.promise}, found {self.found}"


class Suite:
    """A plugin of pytest: which tests run on which components, and what came out.

    After a failure of a test that is marked `essential`, the others of its component are skipped.

    Args:
        subjects: the components.
        report: is given each outcome.

    Attributes:
        error: what has ended pytest, where no test did.
    """

    def __init__(
        self, subjects: Sequence[Subject], report: Callable[[Outcome], object] | None = None
    ) -> None:
        self.subjects, self.report = subjects, report
        self.error: BaseException | None = None
        self._broken: set[str] = set()

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "essential: without it, no other test makes sense")
        if self.report is not None:
            terminal = config.pluginmanager.get_plugin("terminalreporter")
            config.pluginmanager.unregister(terminal)

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leaves out the files of other kinds."""
        if collection_path.parent != FOLDER or collection_path.suffix != ".py":
            return None
        return None if self._of(collection_path.stem) else True

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "subject" in metafunc.fixturenames:
            found = self._of(metafunc.module.__name__.rpartition(".")[2])
            metafunc.parametrize("subject", found, ids=[each.title for each in found])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """One component after the other, what all kinds promise first."""
        titles = [each.title for each in self.subjects]

        def order(item: pytest.Item) -> tuple[int, int]:
            return titles.index(subject_of(item).title), FILES.get(item.path.stem, len(FILES))

        items.sort(key=order)

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if subject_of(item).title in self._broken:
            pytest.skip("an essential test of this component failed")

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        error = call.excinfo.value if call.excinfo is not None else None
        if isinstance(error, pytest.skip.Exception | KeyboardInterrupt) or (
            error is None and call.when != "call"
        ):
            return
        subject = subject_of(item).title
        if error is not None and item.get_closest_marker("essential"):
            self._broken.add(subject)
        if self.report is not None:
            function = item.function  # type: ignore[attr-defined]
            name = function.__name__.removeprefix("test_").replace("_", " ")
            promise = " ".join(function.__doc__.split())
            self.report(Outcome(subject, name, promise, None if error is None else text(error)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.error = RuntimeError(report.longreprtext)

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.error = excinfo.value

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.error = excinfo.value

    @pytest.fixture(autouse=True)
    def _same_folder(self) -> Iterator[None]:
        before = os.getcwd()
        yield
        os.chdir(before)

    def _of(self, stem: str) -> list[Subject]:
        """The components that the tests of a file are for."""
        kind = stem.removeprefix("test_")
        if kind == "parameters":  # a metric has none in a config
            return [each for each in self.subjects if each.kind != "metric"]
        return [each for each in self.subjects if kind in ("any_kind", each.kind)]


FILES = {"test_any_kind": 0, "test_parameters": 1}


def subject_of(item: pytest.Item) -> Subject:
    subject: Subject = item.callspec.params["subject"]  # type: ignore[attr-defined]
    return subject


def text(error: BaseException) -> str:
    """What a test found, on one line."""
    message = str(error)
    if isinstance(error, AssertionError):
        return message.partition("\n")[0]  # pytest adds the values below
    if isinstance(error, ComponentError):
        return message
    name = type(error).__name__
    return f"{name}: {' '.join(message.split())}" if message.strip() else name


def run(
    found: Sequence[Subject], report: Callable[[Outcome], object] = lambda outcome: None
) -> list[Outcome]:
    """Runs the tests on components, in this process.

    Args:
        found: the components.
        report: is given each outcome at once.
    """
    outcomes: list[Outcome] = []

    def reported(outcome: Outcome) -> None:
        outcomes.append(outcome)
        report(outcome)

    suite = Suite(found, reported)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        patch.delenv("PYTEST_PLUGINS", raising=False)
        code = pytest.main([str(FOLDER), *OPTIONS], plugins=[suite])
    if suite.error is not None:
        raise suite.error
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"pytest ended with {code!r}")
    return outcomes


def subjects(module: str, name: str | None) -> list[Subject]:
    """The components that a module registers.

    Raises:
        ExpError: there is none, or none of this name.
    """
    module = module.removesuffix(".py") if "/" not in module else module
    if not plugins.is_place(module):
        raise ExpError(
            f"exp check: {module!r} is neither the name of a module nor a folder (written with a /)"
        )
    plugins.import_all([module])
    place = plugins.package_name(Path(module)) if plugins.is_folder(module) else module
    everything = registered(place)
    if not everything:
        raise ExpError(f"exp check: {module} registers no component")
    found = [each for each in everything if name in (None, each.component.name)]
    if not found:
        names = sorted({each.component.name for each in everything})
        raise ExpError(f"exp check: {unknown(f'component of {module}', name, names)}")
    return found
