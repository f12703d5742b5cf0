"""A network's modules, parameters and buffers, each once, in one quick walk.

PyTorch's own `modules()` and `parameters()` hand every module up through all modules that hold it. An explanation looks
through the network some twenty times, and of a small network that was as much work as the two passes.
"""

from collections.abc import Iterable
from itertools import chain

from torch import Tensor, nn


def modules_in(network: nn.Module) -> list[nn.Module]:
    """Return a network and all modules inside, each once, in the order of `network.modules()`.

    Args:
        network: any.
    """
    found: dict[int, nn.Module] = {}
    ahead: list[nn.Module | None] = [network]
    while ahead:
        module = ahead.pop()
        if module is not None and id(module) not in found:
            found[id(module)] = module
            if module._modules:
                ahead += reversed(list(module._modules.values()))
    return list(found.values())


def parameters_in(network: nn.Module) -> list[nn.Parameter]:
    """Return all parameters of a network, each once, in the order of `network.parameters()`.

    Args:
        network: any.
    """
    return parameters_of(modules_in(network))


def parameters_of(modules: Iterable[nn.Module]) -> list[nn.Parameter]:
    """Return the parameters that some modules hold themselves, each once, in the order of the modules.

    Args:
        modules: without those inside them.
    """
    held = chain.from_iterable(module._parameters.values() for module in modules if module._parameters)
    return list({id(parameter): parameter for parameter in held if parameter is not None}.values())


def buffers_in(network: nn.Module) -> list[Tensor]:
    """Return all buffers of a network, each once, in the order of `network.buffers()`.

    Args:
        network: any.
    """
    held = chain.from_iterable(module._buffers.values() for module in modules_in(network) if module._buffers)
    return list({id(buffer): buffer for buffer in held if buffer is not None}.values())
