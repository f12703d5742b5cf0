"""Everything inside a network, in PyTorch's own order, without its recursion.

An explanation asks a dozen times what a network is made of. `nn.Module.modules()` passes each module up through every
level above it; on a network of some two hundred modules those walks together took longer than a forward pass.
"""

from collections.abc import Iterator

from torch import Tensor, nn


def named_modules_of(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield every module once, with its first name, as `network.named_modules()` does.

    Args:
        network: any.
    """
    seen: set[int] = set()
    ahead: list[tuple[str, nn.Module]] = [("", network)]
    while ahead:
        name, module = ahead.pop()
        if id(module) in seen:
            continue
        seen.add(id(module))
        yield name, module
        start = f"{name}." if name else ""
        ahead += [(start + own, child) for own, child in [*module._modules.items()][::-1] if child is not None]


def modules_of(network: nn.Module) -> list[nn.Module]:
    """Return every module once, as `network.modules()` does.

    Args:
        network: any.
    """
    seen: dict[int, nn.Module] = {}
    ahead: list[nn.Module] = [network]
    while ahead:
        module = ahead.pop()
        if id(module) not in seen:
            seen[id(module)] = module
            ahead += [child for child in [*module._modules.values()][::-1] if child is not None]
    return list(seen.values())


def parameters_of(network: nn.Module) -> list[nn.Parameter]:
    """Return every parameter once, as `network.parameters()` does.

    Args:
        network: any.
    """
    own = (each for module in modules_of(network) for each in module._parameters.values())
    return list({id(each): each for each in own if each is not None}.values())


def buffers_of(network: nn.Module) -> list[Tensor]:
    """Return every buffer once, as `network.buffers()` does.

    Args:
        network: any.
    """
    own = (each for module in modules_of(network) for each in module._buffers.values())
    return list({id(each): each for each in own if each is not None}.values())
