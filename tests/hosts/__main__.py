"""Try the panels in a host that is not installed for the tests, in a real browser, as one who uses it would.

    python -m pip install marimo voila solara     (in an environment of its own)
    python -m tests.hosts marimo [--shots FOLDER]
    python -m tests.hosts marimo-edit voila solara [--themes dark]

Each host is started on 127.0.0.1, once light and once dark, while the browser itself prefers the other. Whatever is not
as it should be ends the run, with what host and browser said; what was tried is printed, with the host's version.

Voila finds its templates, and the widgets' own JavaScript, beside the Python that runs it: `share/jupyter` of another
environment does not do. Solara loads its whole page from another machine, unless solara-assets of the same version is
installed.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tests.browser.lab import chromium_browser, find_chromium, free_port, serving
from tests.hosts.apps import HOSTS
from tests.hosts.steps import opened, steps_of

THEMES = ("light", "dark")


def tried(name: str, themes: Sequence[str], shots: Path | None) -> None:
    """Start a host in each theme and take every step in it; an AssertionError is the answer where one fails."""
    host = HOSTS[name]
    print(f"{host.package} {version(host.package)}, {name}")
    for theme in themes:
        dark = theme == "dark"
        with tempfile.TemporaryDirectory() as folder, chromium_browser(find_chromium()) as browser:
            port = free_port()
            command = [sys.executable, *host.start(Path(folder), dark=dark, port=port)]
            home = {**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder, "JUPYTER_CONFIG_DIR": folder}
            home.pop("MPLBACKEND", None)
            # a page of theirs would start a kernel for each time that is asked whether the server answers
            server = serving(command, f"http://127.0.0.1:{port}", Path(folder), environment=home, ready="/api/none")
            with server as address:
                page, errors = opened(browser, address, dark=dark)
                try:
                    for step in steps_of(opens=host.opens):
                        step(page, dark)
                        print(f"  {theme}: {(step.__doc__ or '').rstrip('.')}", flush=True)
                        if shots:
                            page.screenshot(path=shots / f"{name}-{theme}-{step.__name__}.png")
                except BaseException:
                    if shots:
                        page.screenshot(path=shots / f"{name}-{theme}-failed.png")
                    print(f"{(Path(folder) / '.server.log').read_text()[-3000:]}\n{page.url}\n", *errors, sep="\n")
                    raise
                ours = [error for error in errors if not any(each in error for each in host.says)]
                assert ours == [], ours
                print(f"  {theme}: No error in the browser's console but the host's own", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("hosts", nargs="+", choices=HOSTS)
    parser.add_argument("--shots", type=Path, help="folder for a picture after each step")
    parser.add_argument("--themes", nargs="+", choices=THEMES, default=THEMES)
    asked = parser.parse_args()
    if asked.shots:
        asked.shots.mkdir(parents=True, exist_ok=True)
    for name in asked.hosts:
        tried(name, asked.themes, asked.shots)


if __name__ == "__main__":
    main()
