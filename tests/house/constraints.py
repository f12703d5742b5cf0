"""The exact version of everything that camwidget and its tests pull in: write the file, or check it.

    python -m tests.house.constraints > constraints.txt
    python -m tests.house.constraints --check
    python -m tests.house.constraints --oldest > oldest.txt

Write it in an environment in which the whole suite has passed. CI checks it, in an environment that was made from it;
the tests do not, since a contributor may have one package that is newer.
"""

import argparse
import sys
import tomllib
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, distribution, metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.repository import ROOT

HEADER = """\
# The versions that were tested together, on Python 3.11 and Linux. Written by `python -m tests.house.constraints`.
"""
HEADER_OF_THE_OLDEST = """\
# The oldest versions that were run together, on Python 3.11 and Linux: each lower bound of pyproject.toml, and whatever
# that pulled in at the time. CONTRIBUTING.md says how to run it. Installed from what
#     uv pip compile --resolution lowest-direct --python-version 3.11 --extra lab --extra test pyproject.toml
# printed, then written by `python -m tests.house.constraints --oldest`.
"""
FILE = ROOT / "constraints.txt"
OLDEST = ROOT / "oldest.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for, with these extras."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    return [Requirement(line) for line in lines]


def pythons() -> list[str]:
    """The versions of Python that pyproject.toml names, as "3.11"."""
    prefix = "Programming Language :: Python :: 3."
    return [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if line.startswith(prefix)]


def closure(requirements: Iterable[Requirement]) -> tuple[dict[str, str], set[str]]:
    """Everything these requirements pull in on this machine.

    Returns:
        The installed version of each package by its normalised name, without a local part such as "+cpu"; and the
        names of those that are not installed.
    """
    versions: dict[str, str] = {}
    missing: set[str] = set()
    waiting = list(requirements)
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            missing.add(name)
            continue
        versions[name] = Version(found.version).public
        for line in found.requires or []:
            needed = Requirement(line)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
                waiting.append(needed)
    # Installed with every virtual environment, and not ours to choose.
    return {name: versions[name] for name in sorted(versions.keys() - {"pip", "setuptools", "wheel"})}, missing


def written(file: Path = FILE) -> dict[str, str]:
    """What constraints.txt, or a file like it, says now: version by normalised name."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def disagreements(installed: Mapping[str, str], missing: Collection[str], pinned: Mapping[str, str]) -> list[str]:
    """Where what is installed is not what is pinned, as sentences.

    Args:
        installed: version by name of everything that is pulled in, as `closure` gives it.
        missing: names of what should be pulled in and is not installed.
        pinned: version by name, as `written` gives it.
    """
    found = [f"{name} is not installed" for name in sorted(missing)]
    found += [
        f"{name} {version} is installed, {pinned[name]} is pinned"
        for name, version in installed.items()
        if pinned.get(name, version) != version
    ]
    if sys.platform == "linux":  # the file was written there; other systems pull in other parts
        found += [f"{name} is pulled in without a constraint" for name in installed if name not in pinned]
    return found


def refusals(asked: Mapping[str, str], versions: Iterable[str]) -> list[str]:
    """Which packages refuse one of these versions of Python, as sentences.

    A package may ask for a patch release; pip then reports a conflict that nobody can read.

    Args:
        asked: what each package asks of Python, by its name; "" for those that ask nothing.
        versions: versions such as "3.11"; the first release of each is meant.
    """
    return [
        f"{name} asks for Python {asked[name]}, which leaves out {version}.0"
        for version in versions
        for name in sorted(asked)
        if f"{version}.0" not in SpecifierSet(asked[name])
    ]


def check(file: Path) -> list[str]:
    """Everything in which this environment, or the Pythons that the project names, disagree with a constraints file."""
    installed, missing = closure(declared("lab", "test"))
    asked = {name: metadata(name).get("Requires-Python") or "" for name in installed}
    return [*disagreements(installed, missing, written(file)), *refusals(asked, pythons())]


def listing(header: str) -> str:
    """The text of a constraints file for this environment.

    Args:
        header: comments for its top.

    Raises:
        SystemExit: a part is not installed.
    """
    pinned, absent = closure(declared("lab", "test"))
    if absent:
        names = ", ".join(sorted(absent))
        raise SystemExit(f"Not installed: {names}. Every part is needed: install '.[lab,test]' first.")
    return header + "\n".join(f"{name}=={version}" for name, version in pinned.items())


def main() -> None:
    """Print a constraints file, or check one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with what is installed; write nothing")
    parser.add_argument("--oldest", action="store_true", help="write the other file, for the oldest set")
    parser.add_argument("--file", type=Path, default=FILE, help="the file to check instead of constraints.txt")
    arguments = parser.parse_args()
    if not arguments.check:
        print(listing(HEADER_OF_THE_OLDEST if arguments.oldest else HEADER))
        return
    complaints = check(arguments.file)
    if complaints:
        raise SystemExit("\n".join(complaints))
    print(f"What is installed is what {arguments.file.name} says.")


if __name__ == "__main__":
    main()
