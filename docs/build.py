"""Make all pages: guides, notebooks, public names and gallery; warnings are errors, links that lead nowhere too.

    python -m pip install -e ".[docs]"
    python -m docs.build OUT
    python -m docs.build --other-hosts OUT    ask the hosts that pages link to; writes OUT/output.txt

OUT/index.html opens from the disk. Nothing in the pages asks another host, which is checked as well.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.gallery import write_gallery
from docs.links import broken_links, foreign_requests
from docs.sources import gathered


def main() -> None:
    """Build, then check."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path, help="folder of the pages; it is replaced")
    parser.add_argument("--other-hosts", action="store_true", help="ask whether links to other hosts lead somewhere")
    asked = parser.parse_args()
    out = asked.out.resolve()
    with tempfile.TemporaryDirectory() as folder:
        source = gathered(Path(folder))
        if asked.other_hosts:
            subprocess.run([sys.executable, "-m", "sphinx", "-q", "-b", "linkcheck", str(source), str(out)], check=True)
            return
        # -W: a warning fails; --keep-going: all of them are told first
        command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
        subprocess.run([*command, "-d", str(Path(folder) / "state"), str(source), str(out)], check=True)
    write_gallery(out / "gallery")
    found = [*broken_links(out), *foreign_requests(out)]
    if found:
        raise SystemExit("\n".join(found))
    print(f"{len(list(out.rglob('*.html')))} pages in {out}, no link leads nowhere, no page asks another host")


if __name__ == "__main__":
    main()
