"""Which layers of a text classifier are worth explaining, by its structure."""

from collections.abc import Iterator

from torch import nn

_READING = (nn.Embedding, nn.RNNBase, nn.Conv1d)
_BLOCKS = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
_CORES = (*_READING, nn.Linear, nn.modules.conv._ConvNd)


def text_layers(model: nn.Module) -> list[str]:
    """Return the names of the layers worth explaining, by the structure of the model alone; nothing is run.

    A layer is a transformer's block (PyTorch's, or the outermost that is repeated and has attention or several linear
    layers), or a module around one embedding, convolution or recurrent network with activation, normalisation and
    dropout: the outermost that holds no other. Only a run shows whether it is used and returns a value per word.

    Args:
        model: a text classifier.
    """
    return list(_inside(model, ""))


def _inside(parent: nn.Module, prefix: str) -> Iterator[str]:
    for name, child in parent.named_children():
        cores = [module for module in child.modules() if isinstance(module, _CORES)]
        if _is_block(child, parent):
            yield prefix + name
        elif len(cores) == 1 and isinstance(cores[0], _READING):
            # A list of modules is never run itself.
            yield from _inside(child, f"{prefix}{name}.") if isinstance(child, nn.ModuleList) else [prefix + name]
        else:
            yield from _inside(child, f"{prefix}{name}.")


def _is_block(child: nn.Module, parent: nn.Module) -> bool:
    """Whether a module is a block of a transformer: PyTorch's own, or one of several alike in a list."""
    if isinstance(child, _BLOCKS):
        return True
    alike = [each for each in parent.children() if type(each) is type(child)]
    # A list of one is a network of one block; in a sequence, a single module may as well be the classifier.
    if not (isinstance(parent, nn.ModuleList) or (isinstance(parent, nn.Sequential) and len(alike) > 1)):
        return False
    inside = list(child.modules())
    return any("attention" in type(module).__name__.lower() for module in inside) or (
        sum(isinstance(module, nn.Linear) for module in inside) > 1
    )
