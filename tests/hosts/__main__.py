"""Try the panels in a host that is not installed for the tests, in a real browser, as one who uses it would.

    python -m pip install marimo voila solara     (in an environment of its own)
    python -m tests.hosts marimo [--shots FOLDER]
    python -m tests.hosts marimo-edit voila solara

Each host is started on 127.0.0.1, once light and once dark, while the browser itself prefers the other. Whatever is not
as it should be ends the run; what was tried is printed, with the host's version.
"""

import argparse
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tests.browser.lab import chromium_browser, find_chromium, free_port, serving
from tests.hosts.apps import HOSTS
from tests.hosts.steps import opened, steps_of


def tried(name: str, shots: Path | None) -> None:
    """Start a host in both themes and take every step in it; an AssertionError is the answer where one fails."""
    host = HOSTS[name]
    print(f"{host.package} {version(host.package)}, {name}")
    for dark in (False, True):
        with tempfile.TemporaryDirectory() as folder, chromium_browser(find_chromium()) as browser:
            port = free_port()
            command = [sys.executable, *host.start(Path(folder), dark=dark, port=port)]
            home = {**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder, "JUPYTER_CONFIG_DIR": folder}
            home.pop("MPLBACKEND", None)
            # a page of theirs would start a kernel for each time that is asked whether the server answers
            server = serving(command, f"http://127.0.0.1:{port}", Path(folder), environment=home, ready="/api/none")
            with server as address:
                page, errors = opened(browser, address, dark=dark)
                for step in steps_of(opens=host.opens):
                    step(page, dark)
                    print(f"  {'dark' if dark else 'light'}: {(step.__doc__ or '').rstrip('.')}", flush=True)
                    if shots:
                        page.screenshot(path=shots / f"{name}-{'dark' if dark else 'light'}-{step.__name__}.png")
                assert errors == [], errors
                print(f"  {'dark' if dark else 'light'}: No error in the browser's console", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("hosts", nargs="+", choices=HOSTS)
    parser.add_argument("--shots", type=Path, help="folder for a picture after each step")
    asked = parser.parse_args()
    if asked.shots:
        asked.shots.mkdir(parents=True, exist_ok=True)
    for name in asked.hosts:
        tried(name, asked.shots)


if __name__ == "__main__":
    main()
