"""The trial: a Python of its own imports what a panel needs and makes one, so that a crash there is a finding here.

It also takes the time, since a slow start looks like a fault, and says where the time went.
"""

import json
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from typing import Any

from camwidget.command.doctor.finding import MISSING, NOTE, Finding, counted, homeless

SLOW_S = 15.0
"""Seconds from a fresh Python to a panel that are worth a word; an idle laptop takes about six."""
LIMIT_S = 300
"""Seconds after which a trial has failed; on a slow disk the first imports take a minute."""

STEPS: Mapping[str, tuple[str, str]] = {
    "torch": (
        "import importlib.util, os\n"
        "cached = importlib.util.find_spec('torch').cached\n"
        "compiled = os.path.exists(cached or '')\n"
        "import torch\n"
        "cuda = [torch.cuda.get_device_name(each) for each in range(torch.cuda.device_count())]\n"
        "mps = torch.backends.mps.is_available()\n"
        "made = {'version': torch.__version__, 'cuda': torch.version.cuda, 'devices': cuda, 'mps': mps,"
        " 'threads': torch.get_num_threads(),"
        " 'compiled': compiled, 'kept': os.path.exists(cached or '')}",
        "Install both anew, in versions that fit: python -m pip install --force-reinstall torch torchvision",
    ),
    "torchvision": (
        "import torchvision\nmade = {'version': torchvision.__version__}",
        "torchvision has to fit torch: python -m pip install --force-reinstall torch torchvision",
    ),
    "a panel": (
        "import camwidget\n"
        "panel = camwidget.CamPanel(camwidget.demo_learner(), camwidget.demo_image())\n"
        "import psutil\n"
        "made = {'layers': len(panel.result.layers), 'bytes': psutil.Process().memory_info().rss,"
        " 'load': psutil.getloadavg()[0], 'processors': os.cpu_count()}",
        "The line above is the end of what Python says; the whole of it: "
        'python -c "import camwidget as cw; cw.CamPanel(cw.demo_learner(), cw.demo_image())"',
    ),
}
"""For each step its code, which sets `made`, and what to do where it fails."""


def findings(steps: Mapping[str, tuple[str, str]] = STEPS, *, limit_s: float = LIMIT_S) -> list[Finding]:
    """Run the steps in a fresh Python, up to the first that fails.

    Args:
        steps: name to code and advice.
        limit_s: seconds for all of them.
    """
    code = "import json, os, time\n" + "".join(
        f"began, computed = time.perf_counter(), time.process_time()\n{source}\n"
        "made |= {'seconds': time.perf_counter() - began, 'computed': time.process_time() - computed}\n"
        f"print(json.dumps([{name!r}, made]), flush=True)\n"
        for name, (source, _) in steps.items()
    )
    try:
        done = subprocess.run(
            [sys.executable, "-X", "utf8", "-W", "ignore", "-c", code],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=limit_s,
            check=False,
        )
        printed, told, ended = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired as error:
        printed, told, ended = _text(error.stdout), f"it took longer than {limit_s:g} seconds", None
    made = dict(_results(printed))
    found = [_good(name, made[name]) for name in steps if name in made]
    if made.keys() >= steps.keys() and any("layers" in each for each in made.values()):
        found.append(about_start(made))
    failed = next((name for name in steps if name not in made), None)
    if failed:
        lines = told.strip().splitlines()
        reason = lines[-1] if lines else f"Python ended with {ended}"
        found.append(Finding(failed, homeless(reason), MISSING, steps[failed][1]))
    return found


def _results(printed: str) -> list[tuple[str, Any]]:
    """The steps that were done; whatever a library prints besides is left out."""
    found = []
    for line in printed.splitlines():
        try:
            name, made = json.loads(line)
        except (ValueError, TypeError):
            continue
        found.append((name, made))
    return found


def _text(output: str | bytes | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def _good(name: str, made: Mapping[str, Any]) -> Finding:
    if "threads" in made:
        build = f"built for CUDA {made['cuda']}" if made["cuda"] else "built without CUDA"
        device = ", ".join(made["devices"]) or ("Apple's GPU (mps)" if made["mps"] else "")
        runs = f"device: {device}" if device else "device: the processor, which is enough"
        return Finding(name, f"{made['version']}, {build}, {counted(made['threads'], 'thread')}; {runs}")
    if "layers" in made:
        if not made["layers"]:
            return Finding(name, "made, but without a layer", NOTE, "Please report this, with all lines")
        size = f"{made['bytes'] / 2**20:.0f} MiB in that process"
        return Finding(name, f"made, {made['layers']} layers, {size}")
    return Finding(name, str(made.get("version", "there")))


def about_start(made: Mapping[str, Mapping[str, Any]]) -> Finding:
    """Say how long a fresh Python took to a panel, and if that is long, what slowed it and what to do.

    Args:
        made: name of each step to what it made, its `seconds` on the clock and the seconds it `computed`.
    """
    seconds, computed = (sum(each.get(what, 0.0) for each in made.values()) for what in ("seconds", "computed"))
    parts = ", ".join(f"{name} {each.get('seconds', 0.0):.1f} s" for name, each in made.items())
    found = f"{seconds:.1f} s from a fresh Python to a panel ({parts}), of which it computed for {computed:.1f} s"
    if seconds < SLOW_S:
        return Finding("start", found)
    about = {key: value for each in made.values() for key, value in each.items()}
    return Finding("start", found, NOTE, _what_slows(about, waited=computed < 0.6 * seconds))


def _what_slows(about: Mapping[str, Any], *, waited: bool) -> str:
    """The most likely cause of a slow start, and what to do."""
    if not about.get("compiled", True):
        if about.get("kept"):
            return "This was the first start after an installation: Python compiled its packages. The next is quicker"
        return (
            "Python compiles its packages at every start, for it cannot keep the result. Whoever may write to this "
            f"environment types, once: python -m compileall -q -j 0 {homeless(sysconfig.get_path('purelib'))}"
        )
    if about.get("load", 0.0) > 1.5 * (about.get("processors") or 1):
        told = f"load {about['load']:.1f}, {counted(about['processors'], 'processor')}"
        return f"Other programs are at work ({told}): end what you do not need, also kernels, and run this again"
    if waited:
        return (
            "Most of that time it waited for the disk, as after the machine was switched on: run this again. If it is "
            "no quicker, move the environment from a network drive to a local one, and out of the virus scanner"
        )
    return "The processor is slow at this. Start the kernel before you need it: only the first panel in it waits"
