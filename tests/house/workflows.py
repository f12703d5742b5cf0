"""What is wrong with the workflows of a repository, as sentences: what their steps call has to be there."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

PINNED = re.compile(r"[\w.-]+/[\w./-]+@(?:v\d+(?:\.\d+)*|release/v\d+|[0-9a-f]{40})")
"""An action with the version that is meant."""
FROM_OUTSIDE = re.compile(r"\$\{\{[^}]*\b(?:github\.event\.|github\.head_ref|inputs\.)")
"""Texts that whoever opens a pull request may choose; in a command they could run."""
INSTALLED = {"pip", "pytest", "sphinx"}
"""Modules of other packages that steps run, besides those of the repository."""


def workflows(root: Path) -> dict[str, Any]:
    """Every workflow file by its name."""
    folder = root / ".github" / "workflows"
    return {path.name: yaml.safe_load(path.read_text("utf-8")) for path in sorted(folder.glob("*.yml"))}


def steps(workflow: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step, with the name of its job."""
    for name, job in workflow["jobs"].items():
        for step in job["steps"]:
            yield name, step


def complaints(root: Path) -> list[str]:
    """What is wrong with the workflows below a folder."""
    found = []
    for file, workflow in workflows(root).items():
        # YAML 1.1 reads the key "on" as true
        triggers = workflow.get("on", workflow.get(True)) or {}
        if "pull_request_target" in triggers:
            found.append(f"{file} runs what strangers send with the repository's own rights")
        if workflow.get("permissions") != {"contents": "read"}:
            found.append(f"{file} does not begin with the right to read alone")
        found += [
            f"{file}: {name} has no limit of time"
            for name, job in workflow["jobs"].items()
            if "timeout-minutes" not in job
        ]
        for name, step in steps(workflow):
            found += [f"{file}: {name}: {told}" for told in told_of_step(step, root)]
    return found


def told_of_step(step: dict[str, Any], root: Path) -> list[str]:
    """What is wrong with one step."""
    if uses := step.get("uses"):
        return [] if PINNED.fullmatch(uses) else [f"{uses} names no version"]
    command = step.get("run", "")
    found = [f"{command!r} holds a text from outside"] if FROM_OUTSIDE.search(command) else []
    for line in command.splitlines():
        found += told_of_command(line, root)
    return found


def told_of_command(line: str, root: Path) -> list[str]:
    """What a command line calls in the repository that is not there."""
    words = shlex.split(line)
    called = [word.removeprefix("$GITHUB_WORKSPACE/") for word in words]
    found = [
        f"{word} is not there"
        for word in called
        if re.match(r"\.ci/|tests/|oldest\.txt|constraints\.txt|--ignore=|--deselect=", word)
        and not (root / re.sub(r"^--\w+=", "", word).partition("::")[0]).exists()
    ]
    if called and called[0].startswith(".ci/") and not os.access(root / called[0], os.X_OK):
        found.append(f"{called[0]} cannot be run")
    for word in called:
        file, _, test = word.removeprefix("--deselect=").partition("::")
        if test and f"def {test}(" not in (root / file).read_text("utf-8"):
            found.append(f"{file} has no {test}")
    if "-m" in called and called[0] == "python":
        module = called[called.index("-m") + 1]
        path = root / module.replace(".", "/")
        if module not in INSTALLED and not (path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()):
            found.append(f"the module {module} is not there")
    return found
