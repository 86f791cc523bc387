"""Lets plain pytest run these tests, with all its options:

python -m pytest -p exp.cli.check.plugin --pyargs exp.cli.check --components MODULE
"""

from __future__ import annotations

import pytest

from exp.cli.check.suite import Suite, subjects
from exp.util.errors import ExpError


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("exp")
    group.addoption("--components", metavar="MODULE", help="module or folder/ of components")
    group.addoption("--component", metavar="NAME", help="only the components of this name")


def pytest_configure(config: pytest.Config) -> None:
    module = config.getoption("--components")
    if module is None:
        raise pytest.UsageError("--components MODULE is missing: it names what to test")
    try:
        found = subjects(module, config.getoption("--component"))
    except ExpError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(Suite(found))
