"""Jupyter: the two extensions that show a panel in the browser, which Jupyter starts, and its kernel's Python."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from camwidget.command.doctor.finding import MISSING, NOTE, Finding, homeless

WIDGET_MANAGER, BROWSER_PART = "@jupyter-widgets/jupyterlab-manager", "anywidget"
"""The browser extensions: the one that shows widgets, and the one that loads a panel's JavaScript."""
_BROUGHT_BY = {WIDGET_MANAGER: "jupyterlab-widgets", BROWSER_PART: "anywidget"}
_NAMES = {WIDGET_MANAGER: "widget manager", BROWSER_PART: "browser extension"}


def about_extension(extension: str, folders: Iterable[Path], disabled: Iterable[str]) -> Finding:
    """Say whether JupyterLab and Notebook will find an extension.

    Args:
        extension: `WIDGET_MANAGER` or `BROWSER_PART`.
        folders: where they look, the most important first.
        disabled: names of extensions, or `extension:plugin`, that are switched off.
    """
    name, package = _NAMES[extension], _BROUGHT_BY[extension]
    off = [each for each in disabled if each.partition(":")[0] == extension]
    for folder in folders:
        about = _json_of(folder / extension / "package.json")
        if about is None:
            continue
        found = f"{extension} {about.get('version', 'of an unknown version')}, in {homeless(folder)}"
        if off:
            return Finding(name, f"{found}, switched off", MISSING, f"jupyter labextension enable {off[0]}")
        return Finding(name, found)
    advice = (
        f"python -m pip install --force-reinstall --no-deps {package}, then start Jupyter again, and reload the page"
    )
    return Finding(name, f"{extension} was not found, so a panel shows as text or not at all", MISSING, advice)


def switched_off(folders: Iterable[Path]) -> list[str]:
    """Return the extensions that Jupyter's settings switch off.

    Args:
        folders: those in which a `page_config.json` may lie.
    """
    off: list[str] = []
    for folder in folders:
        given = (_json_of(folder / "page_config.json") or {}).get("disabledExtensions", {})
        off += [name for name in given if not isinstance(given, dict) or given[name]]
    return off


def about_command(found: str | None, scripts: Path) -> Finding:
    """Say whether `jupyter` on the PATH is the one of this environment.

    Args:
        found: where it is; None if there is none.
        scripts: the folder of this environment's commands.
    """
    if found is None:
        return Finding("jupyter", "no command `jupyter` on the PATH", NOTE, "python -m jupyterlab")
    if Path(found).parent.resolve() == scripts.resolve():
        return Finding("jupyter", homeless(found))
    told = f"{homeless(found)} is of another environment, which has other packages"
    return Finding("jupyter", told, NOTE, "python -m jupyterlab")


def about_kernel(argv: Sequence[str] | None, executable: Path) -> Finding:
    """Say which Python the kernel `python3` starts.

    Args:
        argv: the command of the kernel; None if there is no such kernel.
        executable: the Python that runs now.
    """
    name, advice = "kernel python3", "python -m ipykernel install --sys-prefix"
    if not argv:
        return Finding(name, "there is none", MISSING, advice)
    if not Path(argv[0]).is_absolute():  # Jupyter then takes its own Python
        return Finding(name, f"{argv[0]}, the one that Jupyter runs in")
    if not Path(argv[0]).exists():
        return Finding(name, f"{homeless(argv[0])}, which is no longer there", MISSING, advice)
    if _folder_of(argv[0]) != _folder_of(executable):
        return Finding(name, f"{homeless(argv[0])}, not the Python that runs this command", NOTE, advice)
    return Finding(name, homeless(argv[0]))


def _folder_of(python: str | Path) -> Path:
    """The folder of a Python, not of what it links to: all environments may link to one."""
    return Path(python).parent.resolve()


def _json_of(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def findings() -> list[Finding]:
    """Everything about Jupyter, here and now."""
    # Imported here: a report is wanted even where they are missing.
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel  # noqa: PLC0415 (see above)
        from jupyter_core.paths import jupyter_config_path, jupyter_path  # noqa: PLC0415 (see above)
    except ImportError as error:
        return [Finding("Jupyter", str(error), MISSING, "python -m pip install jupyterlab")]
    folders = [Path(each) for each in jupyter_path("labextensions")]
    settings = [Path(each) / "labconfig" for each in jupyter_config_path()]
    off = switched_off([*settings, *(Path(each) / "settings" for each in jupyter_path("lab"))])
    try:
        argv = KernelSpecManager().get_kernel_spec("python3").argv
    except NoSuchKernel:
        argv = None
    return [
        *(about_extension(each, folders, off) for each in (WIDGET_MANAGER, BROWSER_PART)),
        about_command(shutil.which("jupyter"), Path(sys.executable).parent),
        about_kernel(argv, Path(sys.executable)),
    ]
