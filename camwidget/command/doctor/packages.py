"""Python itself and what camwidget asks for: which versions are installed, and which are too old or not there."""

import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from camwidget.command.doctor.finding import MISSING, NOTE, OK, Finding, homeless

_TRIED = "Programming Language :: Python :: "
_FOR_THE_LAB = {"extra": "lab"}


def installed(name: str) -> str | None:
    """Return the installed version of a package; None if it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def about_python(current: tuple[int, int, int], tried: Sequence[str], *, prefix: Path, virtual: bool) -> Finding:
    """Say which Python this is, and whether camwidget was tried on it.

    Args:
        current: major, minor and patch.
        tried: versions such as "3.12", the oldest first.
        prefix: where it lives.
        virtual: whether that is a virtual environment.
    """
    number = ".".join(map(str, current))
    kind = "a virtual environment" if virtual else "no virtual environment"
    found = f"{number}, {kind}: {homeless(prefix)}"
    minor = f"{current[0]}.{current[1]}"
    if not tried or minor in tried:
        return Finding("Python", found)
    state = MISSING if Version(minor) < Version(tried[0]) else NOTE
    return Finding(
        "Python",
        found,
        state,
        f"camwidget was tried on Python {', '.join(tried)}: make an environment with one of them",
    )


def tried_pythons() -> list[str]:
    """Return the versions of Python that the installed camwidget names; empty if it is not installed."""
    try:
        lines = metadata("camwidget").get_all("Classifier") or []
    except PackageNotFoundError:
        return []
    minors = [line.removeprefix(_TRIED) for line in lines if line.startswith(_TRIED)]
    return sorted((each for each in minors if "." in each), key=Version)


def about_packages(
    asked: Iterable[str],
    version_of: Callable[[str], str | None] = installed,
    *,
    pip: str = "python -m pip",
) -> list[Finding]:
    """Say what of the packages that camwidget asks for is there.

    Args:
        asked: requirements as its metadata has them, those of the extra `lab` among them; other extras do not count.
        version_of: the installed version by name, None for what is not installed.
        pip: how to call pip here.

    Returns:
        One finding for all that is as it should be, and one for everything else.
    """
    fine, wrong = [], []
    for requirement in map(Requirement, asked):
        needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if not needed and not (requirement.marker and requirement.marker.evaluate(_FOR_THE_LAB)):
            continue
        found = version_of(requirement.name)
        if found is not None and requirement.specifier.contains(found, prereleases=True):
            fine.append(f"{requirement.name} {found}")
            continue
        told = "not installed" if found is None else f"{found}, but {requirement.specifier} is needed"
        state = MISSING if needed else NOTE
        advice = f'{pip} install "{requirement.name}{requirement.specifier}"'
        wrong.append(Finding(requirement.name, told, state, advice))
    return [Finding("packages", ", ".join(sorted(fine, key=str.casefold)) or "none", OK), *wrong]


def about_itself(folder: Path, found: str | None) -> Finding:
    """Say which camwidget this is, and from where.

    Args:
        folder: of its modules.
        found: the version that is installed; None if it only happens to be importable.
    """
    if found is not None:
        return Finding("camwidget", f"{found}, from {homeless(folder)}")
    advice = 'Go to the folder with pyproject.toml and type: python -m pip install -c constraints.txt -e ".[lab]"'
    return Finding("camwidget", f"not installed, only imported from {homeless(folder)}", NOTE, advice)


def findings() -> list[Finding]:
    """Everything about Python and packages, here and now."""
    here = Path(__file__).resolve().parents[2]
    python = about_python(
        sys.version_info[:3], tried_pythons(), prefix=Path(sys.prefix), virtual=sys.prefix != sys.base_prefix
    )
    found = installed("camwidget")
    pip = "python -m pip" if find_spec("pip") else "uv pip"
    asked = (requires("camwidget") or []) if found else []
    return [about_itself(here, found), python, *(about_packages(asked, pip=pip) if asked else [])]
