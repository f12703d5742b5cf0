"""Where a Chromium is; apart from the rest, so that looking for one imports nothing."""

import shutil

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
SHELL = "chromium-headless-shell"
"""Chromium without windows: the same engine on the same pages, without what draws tabs and toolbars that nobody sees.
A whole Chromium prepares those for each new page, and takes nearly three times the processor time over the tests of a
view."""


def chromium_path(*, whole: bool = False) -> str | None:
    """Path of the Chromium to take among those on the PATH: the shell if it is there, else the first of the others.

    Args:
        whole: leave the shell out: where times or looks are those of a browser as people have it.
    """
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES if whole else (SHELL, *CHROMIUM_NAMES))), None)
