"""A real browser, and pages of it without Jupyter: for views that are mounted by hand and for saved pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.lab import chromium_browser, new_page


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """One for all modules: a page has settings and a store of its own, and what starts a browser takes a second.

    Not for the session: in the thread in which Playwright waits nothing else may run an event loop.
    """
    with chromium_browser(chromium) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page; afterwards: no script on it has failed."""
    opened = new_page(browser, width=1000, height=900)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert errors == []
