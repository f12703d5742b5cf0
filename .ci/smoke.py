"""Smoke test of an installed camwidget: what a learner does in the first five minutes, in an empty folder.

    cd "$(mktemp -d)" && python CLONE/.ci/smoke.py

It says where camwidget lies; `--installed` refuses one that is only the clone beside it.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path


def command(*arguments: str) -> str:
    """Run `camwidget` as installed; a bad exit ends the smoke test."""
    line = [sys.executable, "-m", "camwidget.command", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False, encoding="utf-8", errors="replace")
    print(f"$ camwidget {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    if done.returncode:
        raise SystemExit(f"camwidget {' '.join(arguments)} ended with {done.returncode}")
    return done.stdout


def pages() -> dict[str, str]:
    """Save a panel of each kind, as a learner would."""
    import camwidget as cw

    panels = {
        "picture": cw.CamPanel(cw.demo_learner(), cw.demo_image("cat"), class_names=["dog", "cat"]),
        "words": cw.TextCamPanel(cw.text_learner(), "Not bad at all, and never boring."),
    }
    for name, panel in panels.items():
        panel.save_html(f"{name}.html")
    return {name: Path(f"{name}.html").read_text(encoding="utf-8") for name in panels}


def main() -> None:
    """Do it all, and end with the first thing that fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--installed", action="store_true", help="refuse a camwidget that is only a clone's folder")
    asked = parser.parse_args()

    import camwidget

    place = Path(camwidget.__file__).resolve().parent
    print(f"camwidget {camwidget.__version__} lies in {place}")
    if asked.installed and place.parent == Path(__file__).resolve().parents[1]:
        raise SystemExit("This is the clone, not what was installed: install the wheel, and run this somewhere else.")
    command("--version")
    command("doctor")
    command("start", "course")
    if not list(Path("course").rglob("*.ipynb")):
        raise SystemExit("`camwidget start` copied no notebook.")
    for name, text in pages().items():
        # Every request would be refused by the page's own rules, if there were one.
        asks = re.findall(r'(?:src|href)="(?!data:)([^"]*)"', text)
        if asks or "default-src 'none'" not in text:
            raise SystemExit(f"The page of {name} asks for {asks}, or does not forbid it.")
        print(f"{name}.html: {len(text)} characters, asks for nothing")
    print("The smoke test passed.")


if __name__ == "__main__":
    main()
