"""How much memory a kernel takes, for who plans a JupyterHub or a classroom server.

    python -m tests.benchmarks.hub [--kernels 2]

Kernels are started side by side, and each runs the same cells. Resident memory is what a container's limit counts for
one kernel alone; the proportional share divides what several kernels of one machine have in common, such as PyTorch's
libraries; what is private to a kernel has to be there for every learner. All from Linux's /proc, in MiB.
"""

import argparse
import time
from pathlib import Path

from jupyter_client.manager import KernelManager, start_new_kernel

STEPS = {
    "a kernel, nothing run": "",
    "import camwidget, one panel": (
        "import camwidget as cw\nlearn = cw.demo_learner()\npanel = cw.CamPanel(learn, cw.demo_image())\n"
    ),
    "a panel of words as well": "words = cw.TextCamPanel(cw.text_learner(), 'Not bad at all.')\n",
    "ten more panels": "more = [cw.CamPanel(learn, cw.demo_image()) for _ in range(10)]\n",
}
FIELDS = {"resident": ("Rss",), "proportional": ("Pss",), "private": ("Private_Clean", "Private_Dirty")}


def memory_mib(process: int) -> dict[str, float]:
    """What Linux says of one process."""
    lines = [line.split() for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()]
    sizes = {words[0].rstrip(":"): float(words[1]) / 1024 for words in lines if len(words) == 3}
    return {name: sum(sizes[part] for part in parts) for name, parts in FIELDS.items()}


def process_of(manager: KernelManager) -> int:
    return int(manager.provisioner.pid)  # type: ignore[union-attr]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kernels", type=int, default=2, help="side by side on this machine")
    count = parser.parse_args().kernels
    kernels = [start_new_kernel() for _ in range(count)]
    try:
        print(f"{count} kernels side by side; MiB for one of them, the mean")
        print(f"{'':32}" + "".join(f"{name:>14}" for name in FIELDS))
        for step, code in STEPS.items():
            for _, client in kernels:
                reply = client.execute_interactive(code, timeout=1800, output_hook=lambda _: None)
                if reply["content"]["status"] != "ok":
                    raise SystemExit(f"{step}: {reply['content']}")
            time.sleep(2)  # until what is freed has been given back
            found = [memory_mib(process_of(manager)) for manager, _ in kernels]
            means = [sum(each[name] for each in found) / count for name in FIELDS]
            print(f"{step:32}" + "".join(f"{each:>14.0f}" for each in means), flush=True)
    finally:
        for manager, client in kernels:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    main()
