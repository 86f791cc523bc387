"""Every check of every kind, on all that a module registers."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from exp.cli.check.finding import Check, Finding
from exp.cli.check.subject import Subject, registered
from exp.config import plugins
from exp.util.errors import ComponentError, ExpError, unknown

KINDS = {
    "dataset": "datasets",
    "split": "splits",
    "model": "models",
    "activation": "activations",
    "loss": "losses",
    "optimizer": "optimizers",
    "metric": "metrics",
}
"""Those with checks of their own, and the module that holds them."""


def failures(module: str, name: str | None = None) -> list[str]:
    """The lines of all checks that failed.

    Args:
        module: a module of components, or with a / a folder of them.
        name: only the components of this name.

    Raises:
        ExpError: there is no such module or component, or it cannot be imported.
    """
    return [each.line for each in findings(module, name) if each.found is not None]


def findings(module: str, name: str | None = None) -> Iterator[Finding]:
    """Each check of each component that a module registers, as it is done."""
    for subject in subjects(module, name):
        for check in checks_of(subject.kind):
            found = tried(check, subject)
            yield Finding(subject.title, check, found)
            if found is not None and check.essential:
                break


def subjects(module: str, name: str | None) -> list[Subject]:
    """
    Raises:
        ExpError: the module registers nothing, or nothing of this name.
    """
    module = module.removesuffix(".py") if "/" not in module else module
    if not plugins.is_place(module):
        raise ExpError(f"exp check: {module!r} is no name of a module, and no folder (with a /)")
    plugins.import_all([module])
    place = plugins.package_name(Path(module)) if plugins.is_folder(module) else module
    all_of_them = registered(place)
    if not all_of_them:
        raise ExpError(f"exp check: {module} registers no component")
    found = [each for each in all_of_them if name in (None, each.component.name)]
    if not found:
        names = sorted({each.component.name for each in all_of_them})
        raise ExpError(f"exp check: {unknown(f'component of {module}', name, names)}")
    return found


def checks_of(kind: str) -> list[Check]:
    """General ones first, then those of the kind."""
    general = importlib.import_module("exp.cli.check.general").CHECKS
    if kind == "metric":  # it has no parameters in a config
        general = [each for each in general if each.name == "docstring"]
    own = importlib.import_module(f"exp.cli.check.{KINDS[kind]}").CHECKS if kind in KINDS else []
    return [*general, *own]


def tried(check: Check, subject: Subject) -> str | None:
    """What a check found wrong, an exception included."""
    before = os.getcwd()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return check.test(subject)
    except ComponentError as error:
        return str(error)
    except Exception as error:
        text = " ".join(str(error).split())
        return f"{type(error).__name__}: {text}" if text else type(error).__name__
    finally:
        os.chdir(before)
