"""Write constraints.txt: the exact version of everything that camwidget and its tests pull in.

    python -m tests.house.constraints > constraints.txt

Run it in an environment in which the whole suite has passed.
"""

import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.house.repository import ROOT

HEADER = """\
# The versions that were tested together, on Python 3.11 and Linux. Written by `python -m tests.house.constraints`.
"""


def declared(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for, with these extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return [Requirement(line) for line in lines]


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


def written() -> dict[str, str]:
    """What constraints.txt says now: version by normalised name."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


if __name__ == "__main__":
    pinned, absent = closure(declared("lab", "test"))
    if absent:
        raise SystemExit(
            f"Not installed: {', '.join(sorted(absent))}. Every part is needed: install '.[lab,test]' first."
        )
    print(HEADER + "\n".join(f"{name}=={version}" for name, version in pinned.items()))
