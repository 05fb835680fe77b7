"""A browser for the tests of this folder, and pages in it that record what they said and asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.chromium import launch
from tests.browser.viewed_page import ViewedPage
from verifier.report.html.page import page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser

    from verifier.judge.verdict import ScenarioOutcome


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Yield a headless browser, ended with this folder: playwright's loop must not outlive it.

    An asynchronous test of the same worker would find that loop running.
    """
    with sync_playwright() as playwright:
        launched = launch(playwright, "--disable-background-networking", "--disable-dev-shm-usage")
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., ViewedPage]]:
    """Return what makes a page in a context of its own; takes playwright's context options.

    For example `color_scheme="dark"`, `java_script_enabled=False`, `viewport=...`.
    """
    contexts = []

    def make(**options: object) -> ViewedPage:
        contexts.append(browser.new_context(**options))
        return ViewedPage(contexts[-1].new_page())

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def view(open_page: Callable[..., ViewedPage]) -> ViewedPage:
    """Return a page in a context of its own, with the defaults of playwright."""
    return open_page()


@pytest.fixture
def show(view: ViewedPage, tmp_path: Path) -> Callable[..., ViewedPage]:
    """Return what writes the report of some outcomes into a file, opens it, and returns it."""

    def write(outcomes: Sequence[ScenarioOutcome], viewed: ViewedPage = view) -> ViewedPage:
        file = tmp_path / "report.html"
        file.write_text(page(outcomes), encoding="utf-8")
        viewed.open_file(file)
        return viewed

    return write
