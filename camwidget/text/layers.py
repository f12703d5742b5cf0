"""Which layers of a text classifier have something to say about every word."""

from collections.abc import Iterator

from torch import nn

_READING = (nn.Embedding, nn.RNNBase, nn.Conv1d)
_BLOCKS = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
_CORES = (*_READING, nn.Linear, nn.modules.conv._ConvNd)


def text_layers(model: nn.Module) -> list[str]:
    """Return the names of the layers worth looking at, by the structure of the model alone; nothing is run.

    A layer is a module around one embedding, convolution or recurrent network, with activation, normalisation and
    dropout: the outermost that holds no other; or a block of PyTorch's transformer. Whether it runs, and puts out a
    value per word, shows when it is run.

    Args:
        model: a text classifier.
    """
    return list(_inside(model, ""))


def _inside(parent: nn.Module, prefix: str) -> Iterator[str]:
    for name, child in parent.named_children():
        cores = [module for module in child.modules() if isinstance(module, _CORES)]
        if isinstance(child, _BLOCKS):
            yield prefix + name
        elif len(cores) == 1 and isinstance(cores[0], _READING):
            # A list of modules is never run itself.
            yield from _inside(child, f"{prefix}{name}.") if isinstance(child, nn.ModuleList) else [prefix + name]
        else:
            yield from _inside(child, f"{prefix}{name}.")
