"""Where a Chromium is; apart from the rest, so that looking for one imports nothing."""

import shutil

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str | None:
    """Path of the first of these that is on the PATH."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
