"""Run a network once per channel, for Score-CAM: its cost stated first, its progress shown, and a way to stop it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from camwidget.errors import MapError, three_parts
from camwidget.maps.formulas import channel_masks

TOGETHER = 16
"""Masked pictures in one batch: enough to be fast, few enough to need little memory."""

Run = Callable[[Tensor], Tensor]
"""Runs the network on a batch of pictures and returns the logits; captures nothing."""

Progress = Callable[[int, int], None]
"""Is called with the number of passes done and the total; it may raise to stop."""


@dataclass(frozen=True)
class Cost:
    """The cost of a method that runs the network once per channel."""

    passes: int
    """How often the network runs."""
    seconds: float
    """How long that takes, estimated from a few passes that were timed."""

    def __str__(self) -> str:
        seconds = f"{self.seconds:.0f} s" if self.seconds >= 1 else "a second"
        return f"{self.passes:,} passes of the network, about {seconds}"

    def of(self, passes: int) -> "Cost":
        """Return what this many passes of the same network cost.

        Args:
            passes: such as a layer's channels: Score-CAM runs the network once for each.
        """
        return Cost(passes, self.seconds / self.passes * passes)


def cost_of(run: Run, pixels: Float[Tensor, "1 _ height width"], *, passes: int) -> Cost:
    """Return what so many passes of the network will cost; one small batch is run, and timed, for it.

    Args:
        run: see `Run`.
        pixels: the picture.
        passes: for Score-CAM the channels of all its layers; at least one.
    """
    few = min(passes, 4)
    started = time.perf_counter()
    run(pixels.repeat(few, 1, 1, 1))
    return Cost(few, time.perf_counter() - started).of(passes)


def score_layers(
    run: Run,
    pixels: Float[Tensor, "1 _ height width"],
    activations: Mapping[str, Float[Tensor, "..."]],
    *,
    target_classes: Sequence[int],
    progress: Progress | None = None,
) -> dict[str, Float[Tensor, "channel target_class"]]:
    """Return, by layer, the logits of the picture under the mask of each channel.

    The cost is stated first, and a bar shows the progress. Interrupting it (Ctrl-C, or the square in JupyterLab) is
    safe: nothing is left behind.

    Args:
        run: see `Run`.
        pixels: the picture.
        activations: layer name to the layer's output, (1, channel, map_height, map_width).
        target_classes: the classes wanted.
        progress: is called instead of a bar.

    Raises:
        MapError: the network does not take several pictures at once.
    """
    cost = cost_of(run, pixels, passes=sum(activation.shape[1] for activation in activations.values()))
    found: dict[str, Tensor] = {}
    with tqdm(total=cost.passes, desc=f"Score-CAM: {cost}", disable=progress is not None) as bar:
        done = 0
        for name, activation in activations.items():
            parts = []
            for channels in activation.split(TOGETHER, dim=1):  # the masks of all channels at once would not fit
                some = channel_masks(channels, height=pixels.shape[2], width=pixels.shape[3]).to(pixels.dtype)
                logits = run(pixels * some[:, None])
                if logits.ndim != 2 or logits.shape[0] != len(some):
                    given = f"For {len(some)} pictures the model returned shape {tuple(logits.shape)}"
                    allowed = "Score-CAM runs many masked pictures at once: the logits must be (batch, class)"
                    raise MapError(three_parts(given, allowed, "Use another method, such as 'grad_cam'"))
                parts.append(logits[:, list(target_classes)])
                done += len(some)
                bar.update(len(some))
                if progress is not None:
                    progress(done, cost.passes)
            found[name] = torch.cat(parts).to(activation.dtype)  # maps of a model in half precision are in single
    return found
