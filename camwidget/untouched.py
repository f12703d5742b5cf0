"""A model is run and left exactly as it was found, after an error too."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn


@contextmanager
def left_as_found(model: nn.Module) -> Iterator[None]:
    """Put the model into evaluation mode with frozen parameters for the block, then restore what it was.

    Restored, after an error too: every module's training flag, every parameter's `requires_grad`, the buffers, and the
    state of the random numbers on the CPU and on the model's GPU. Nothing here touches a parameter's `.grad`.

    What `torch.compile` has compiled runs as it was written for the block: compiled code does not call hooks that were
    put on after its first run, and says nothing.
    """
    modules = list(model.modules())
    training = [module.training for module in modules]
    parameters = list(model.parameters())
    required = [parameter.requires_grad for parameter in parameters]
    buffers = [
        (module, name, buffer, None if buffer is None else buffer.detach().clone(), _version(buffer))
        for module in modules
        for name, buffer in module._buffers.items()
    ]
    gpus = sorted({parameter.device.index for parameter in parameters if parameter.device.type == "cuda"})
    try:
        with _as_written(), torch.random.fork_rng(devices=gpus):
            # The flags are set one by one: train() and eval() may be overridden to do more (some merge weights).
            for module in modules:
                module.training = False
            for parameter in parameters:
                parameter.requires_grad_(False)
            yield
    finally:
        for module, flag in zip(modules, training, strict=True):
            module.training = flag
        for parameter, flag in zip(parameters, required, strict=True):
            parameter.requires_grad_(flag)
        for module, name, buffer, values, version in buffers:
            module._buffers[name] = buffer
            if buffer is not None and values is not None and (version is None or _version(buffer) != version):
                with torch.no_grad(), torch.inference_mode(buffer.is_inference()):
                    buffer.copy_(values)


def _as_written() -> AbstractContextManager[object]:
    """A block in which compiled code is not used. Where the compiler is not even loaded, nothing can be compiled."""
    return torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext()


def _version(buffer: Tensor | None) -> int | None:
    """How often the tensor was changed in place, or None where that is not counted."""
    return None if buffer is None or buffer.is_inference() else buffer._version
