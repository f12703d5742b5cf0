"""The trial: a Python of its own imports what a panel needs and makes one, so that a crash there is a finding here."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from camwidget.doctor.finding import MISSING, NOTE, Finding, homeless

LIMIT_S = 300
"""Seconds after which a trial has failed; on a slow disk the first imports take a minute."""

STEPS: Mapping[str, tuple[str, str]] = {
    "torch": (
        "import torch\n"
        "cuda = [torch.cuda.get_device_name(each) for each in range(torch.cuda.device_count())]\n"
        "mps = torch.backends.mps.is_available()\n"
        "made = {'version': torch.__version__, 'cuda': torch.version.cuda, 'devices': cuda, 'mps': mps,"
        " 'threads': torch.get_num_threads()}",
        "Install both anew, in versions that fit: python -m pip install --force-reinstall torch torchvision",
    ),
    "torchvision": (
        "import torchvision\nmade = {'version': torchvision.__version__}",
        "torchvision has to fit torch: python -m pip install --force-reinstall torch torchvision",
    ),
    "a panel": (
        "import time\nbegan = time.perf_counter()\nimport camwidget\n"
        "panel = camwidget.CamPanel(camwidget.demo_learner(), camwidget.demo_image())\n"
        "import psutil\n"
        "made = {'seconds': time.perf_counter() - began, 'layers': len(panel.result.layers),"
        " 'bytes': psutil.Process().memory_info().rss}",
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
    code = "import json\n" + "".join(
        f"{source}\nprint(json.dumps([{name!r}, made]), flush=True)\n" for name, (source, _) in steps.items()
    )
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=limit_s, check=False
        )
        printed, told, ended = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired as error:
        printed, told, ended = _text(error.stdout), f"it took longer than {limit_s:g} seconds", None
    made = dict(_results(printed))
    found = [_good(name, made[name]) for name in steps if name in made]
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
        return Finding(name, f"{made['version']}, {build}, {made['threads']} threads; {runs}")
    if "layers" in made:
        if not made["layers"]:
            return Finding(name, "made, but without a layer", NOTE, "Please report this, with all lines")
        size = f"{made['bytes'] / 2**20:.0f} MiB in that process"
        return Finding(name, f"made in {made['seconds']:.1f} s, {made['layers']} layers, {size}")
    return Finding(name, str(made.get("version", "there")))
