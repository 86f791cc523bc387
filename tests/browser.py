"""Chromium for tests: Debian's, without a window, driven by Playwright, and offline.

    apt-get install -y --no-install-recommends chromium

Where it is missing these tests are skipped, unless EXP_NEEDS_CHROMIUM is set, as `.ci/run` does.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW = "Chromium is not installed: apt-get install -y --no-install-recommends chromium"
PATIENCE = 60_000
"""Milliseconds: machines of CI are busy."""


@dataclass
class Opened:
    """A page in the browser, and what it did that it should not."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        return str(self.page.inner_text(selector))

    def until(self, expression: str) -> None:
        """Waits until a JavaScript expression is true. Playwright's own way of waiting for one is
        what the page's policy forbids."""
        for _ in range(PATIENCE // 50):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"never true: {expression}")

    def count(self, selector: str) -> int:
        return int(self.page.locator(selector).count())


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("EXP_NEEDS_CHROMIUM"):
            pytest.fail(HOW)
        pytest.skip(HOW)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # Chromium refuses to run as root within its sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, path: Path, **options: Any) -> Iterator[Opened]:
    """A report, once all of it stands.

    Args:
        options: of a Playwright context, such as `color_scheme`.
    """
    size = {"width": 1280, "height": 900}
    context = browser.new_context(offline=True, **{"viewport": size, **options})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    found = Opened(page)
    page.on("request", lambda request: found.requests.append(request.url))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (found.complaints.append("dialog"), dialog.dismiss()))
    page.on(
        "console",
        lambda message: message.type == "error" and found.complaints.append(message.text),
    )
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    yield found
    context.close()
