"""Answers for `keepdim`."""

from tests.course.bank import Entry, Wrong


def _choices(name: str, right: str) -> Entry:
    """The answers to a quiz of four options with one right one."""
    others = [letter for letter in "abcd" if letter != right]
    said = "read what is said about your choice"
    wrong = {letter: Wrong(f'{name} = "{letter}"', "chosen", f"{letter}: ") for letter in others}
    wrong |= {
        "two of four": Wrong(f'{name} = "{right}{others[0]}"', "chosen", said),
        "all": Wrong(f'{name} = "abcd"', "chosen", said),
        "no letter of these": Wrong(f'{name} = "e"', "chosen", "answer with letters such as 'a'"),
        "a number": Wrong(f"{name} = 2", "chosen", "answer with letters such as 'a'"),
        "nothing": Wrong(f'{name} = ""', "chosen", "answer with letters such as 'a'"),
        "left open": Wrong(f"{name} = None", "", "not started"),
    }
    return Entry(
        right={
            "small": f'{name} = "{right}"',
            "capital": f'{name} = "{right.upper()}"',
            "a list": f'{name} = ["{right}"]',
            "a set": f'{name} = {{"{right}"}}',
        },
        wrong=wrong,
    )


def _function(head: str, body: str) -> str:
    """A function from its head and its body's lines, without indentation."""
    return f"def {head}:\n" + "".join(f"    {line}\n" for line in body.strip("\n").splitlines())


def _shapes(*five: str) -> str:
    return f"shapes = [{', '.join(five)}]"


PREDICT = Entry(
    right={
        "tuples": _shapes("(4, 1, 1)", "(4, 2, 3)", "(2, 3)", "(4,)", '"error"'),
        "lists": "shapes = [[4, 1, 1], [4, 2, 3], [2, 3], [4], 'Error']",
        "measured": (
            "activation = torch.zeros(4, 2, 3)\nw = activation.mean(dim=[1, 2], keepdim=True)\n"
            "v = activation.mean(dim=[1, 2])\n"
            'shapes = w.shape, (w * activation).shape, activation.sum(0).shape, v.shape, "error"'
        ),
        "one axis as a number": _shapes("(4, 1, 1)", "(4, 2, 3)", "(2, 3)", "4", '" ERROR "'),
    },
    wrong={
        "keepdim overlooked": Wrong(
            _shapes("(4,)", "(4, 2, 3)", "(2, 3)", "(4,)", '"error"'), "weights", "keeps the averaged axes"
        ),
        "product not stretched": Wrong(
            _shapes("(4, 1, 1)", "(4, 1, 1)", "(2, 3)", "(4,)", '"error"'), "product", "length of 1 is stretched"
        ),
        "sum over the wrong axes": Wrong(
            _shapes("(4, 1, 1)", "(4, 2, 3)", "(4,)", "(4,)", '"error"'), "map", "removes the first axis"
        ),
        "sum keeps its axis": Wrong(
            _shapes("(4, 1, 1)", "(4, 2, 3)", "(1, 2, 3)", "(4,)", '"error"'), "map", "keeps no axis"
        ),
        "dropping does nothing": Wrong(
            _shapes("(4, 1, 1)", "(4, 2, 3)", "(2, 3)", "(4, 1, 1)", '"error"'), "dropped", "axes are gone"
        ),
        "dim says what stays": Wrong(
            _shapes("(4, 1, 1)", "(4, 2, 3)", "(2, 3)", "(2, 3)", '"error"'), "dropped", "goes, not stays"
        ),
        "no error expected": Wrong(
            _shapes("(4, 1, 1)", "(4, 2, 3)", "(2, 3)", "(4,)", "(4, 2, 3)"), "meets", "4 weights meet a width of 3"
        ),
        "ones in front": Wrong(
            _shapes("(1, 1, 4)", "(4, 2, 3)", "(2, 3)", "(4,)", '"error"'), "weights", "the axes keep their places"
        ),
        "four of five": Wrong(_shapes("(4, 1, 1)", "(4, 2, 3)", "(2, 3)", "(4,)"), "weights", "give all five"),
        "texts": Wrong(
            _shapes('"(4, 1, 1)"', "(4, 2, 3)", "(2, 3)", "(4,)", '"error"'), "weights", "without quotation marks"
        ),
    },
)

_B = "broadcast_shape(first, second)"
BROADCAST = Entry(
    right={
        "PyTorch's own": _function(
            _B, "try:\n    return torch.broadcast_shapes(first, second)\nexcept RuntimeError:\n    return None"
        ),
        "tried out": _function(
            _B,
            "try:\n    return (torch.zeros(first) * torch.zeros(second)).shape\nexcept RuntimeError:\n    return None",
        ),
        "from the right with an index": _function(
            _B,
            """
shape = []
for i in range(1, max(len(first), len(second)) + 1):
    a = first[-i] if i <= len(first) else 1
    b = second[-i] if i <= len(second) else 1
    if a == b or b == 1:
        shape.insert(0, a)
    elif a == 1:
        shape.insert(0, b)
    else:
        return None
return shape
""",
        ),
        "zip_longest": "from itertools import zip_longest\n\n"
        + _function(
            _B,
            """
pairs = list(zip_longest(first[::-1], second[::-1], fillvalue=1))
fits = all(len({a, b} - {1}) <= 1 for a, b in pairs)
return tuple(max(pair) for pair in pairs)[::-1] if fits else None
""",
        ),
    },
    wrong={
        "from the left": Wrong(
            _function(
                _B,
                """
axes = max(len(first), len(second))
first = tuple(first) + (1,) * (axes - len(first))
second = tuple(second) + (1,) * (axes - len(second))
if any(a != b and 1 not in (a, b) for a, b in zip(first, second)):
    return None
return tuple(max(a, b) for a, b in zip(first, second))
""",
            ),
            "missing",
            "compared from the left",
        ),
        "never None": Wrong(
            _function(
                _B,
                """
axes = max(len(first), len(second))
first, second = (1,) * (axes - len(first)) + first, (1,) * (axes - len(second)) + second
return tuple(max(a, b) for a, b in zip(first, second))
""",
            ),
            "misfit",
            "return None",
        ),
        "the longer one": Wrong(
            _function(_B, "return first if len(first) > len(second) else second"), "ones", "a 1 was not stretched"
        ),
        "1 is not stretched": Wrong(
            _function(_B, "n = min(len(first), len(second))\nreturn None if first[-n:] != second[-n:] else first"),
            "ones",
            "so does 1 with anything",
        ),
        "only one side stretches": Wrong(
            _function(
                _B,
                """
axes = max(len(first), len(second))
first, second = (1,) * (axes - len(first)) + first, (1,) * (axes - len(second)) + second
return None if any(a not in (1, b) for a, b in zip(first, second)) else second
""",
            ),
            "ones",
            "so does 1 with anything",
        ),
        "the shorter shape cuts": Wrong(
            _function(
                _B,
                """
pairs = list(zip(first[::-1], second[::-1]))
if any(a != b and 1 not in (a, b) for a, b in pairs):
    return None
return tuple(max(pair) for pair in pairs)[::-1]
""",
            ),
            "missing",
            "the axes that only one shape has are missing",
        ),
        "backwards": Wrong(
            _function(
                _B,
                "try:\n    return torch.broadcast_shapes(first, second)[::-1]\nexcept RuntimeError:\n    return None",
            ),
            "ones",
            "back to front",
        ),
        "lets it raise": Wrong(
            _function(_B, "return torch.broadcast_shapes(first, second)"), "", "catch it, and return None"
        ),
        "False for None": Wrong(
            _function(
                _B, "try:\n    return torch.broadcast_shapes(first, second)\nexcept RuntimeError:\n    return False"
            ),
            "misfit",
            "return None",
        ),
        "prints": Wrong(_function(_B, "print(torch.broadcast_shapes(first, second))"), "ones", "print() only shows"),
    },
    equivalent={
        "axes = max(len(first), len(second)) → axes = max(len(second), len(first))": "the larger, in either order",
        "for one, other in zip(first, second): → for one, other in zip(second, first):": "the rule knows no sides",
    },
)

_S = "silent_case(channels, height)"
SILENT = Entry(
    right={
        "random": _function(_S, "shape = channels, height, channels\nreturn torch.randn(shape), torch.rand(shape)"),
        "by hand": _function(
            _S,
            """
activation = torch.arange(float(channels * height * channels)).reshape(channels, height, channels)
gradient = torch.zeros_like(activation)
gradient[0] = 1
return activation, gradient
""",
        ),
        "a list, float64": _function(
            _S,
            """
activation = torch.rand(channels, height, channels, dtype=torch.float64)
return [activation, torch.arange(channels)[:, None, None] * torch.ones_like(activation)]
""",
        ),
        "from a network": _function(
            _S,
            """
torch.manual_seed(0)
body = nn.Conv2d(3, channels, 3, padding=1)
activation = body(torch.randn(1, 3, height, channels))
(gradient,) = torch.autograd.grad((activation**2).sum(), activation, retain_graph=True)
return activation[0], gradient[0]
""",
        ),
        "gradient the same everywhere in a channel": _function(
            _S,
            """
gradient = torch.randn(channels, 1, 1).expand(channels, height, channels)
return torch.randn(channels, height, channels), gradient
""",
        ),
    },
    wrong={
        "any sizes": Wrong(
            _function(_S, "return torch.randn(channels, height, 13), torch.randn(channels, height, 13)"),
            "silent",
            "they fit if the two are equal",
        ),
        "height for width": Wrong(
            _function(_S, "return torch.randn(channels, height, height), torch.randn(channels, height, height)"),
            "silent",
            "they fit if the two are equal",
        ),
        "width 1": Wrong(
            _function(_S, "return torch.randn(channels, height, 1), torch.randn(channels, height, 1)"),
            "same",
            "as wide as there are channels",
        ),
        "ones": Wrong(
            _function(_S, "return torch.randn(channels, height, channels), torch.ones(channels, height, channels)"),
            "wrong",
            "all weights are equal",
        ),
        "no gradient at all": Wrong(
            _function(_S, "return torch.randn(channels, height, channels), torch.zeros(channels, height, channels)"),
            "wrong",
            "all weights are equal",
        ),
        "an activation of zeros": Wrong(
            _function(_S, "return torch.zeros(channels, height, channels), torch.randn(channels, height, channels)"),
            "wrong",
            "different numbers",
        ),
        "channels last": Wrong(
            _function(
                _S,
                "return torch.randn(height, channels, channels + 1), torch.randn(height, channels, channels + 1)",
            ),
            "pair",
            "with the channels and the height",
        ),
        "only the activation": Wrong(
            _function(_S, "return torch.randn(channels, height, channels)"), "pair", "return activation, gradient"
        ),
        "the sizes": Wrong(_function(_S, "return channels, height, channels"), "pair", "return activation, gradient"),
        "shapes in place of tensors": Wrong(
            _function(_S, "return (channels, height, channels), (channels, height, channels)"),
            "pair",
            "return activation, gradient",
        ),
        "all sizes equal": Wrong(
            _function(
                _S, "return torch.randn(channels, channels, channels), torch.randn(channels, channels, channels)"
            ),
            "pair",
            "with the channels and the height",
        ),
        "a batch": Wrong(
            _function(
                _S,
                "return torch.randn(1, channels, height, channels), torch.randn(1, channels, height, channels)",
            ),
            "pair",
            "with the channels and the height",
        ),
        "no return": Wrong(_function(_S, "activation = torch.randn(channels, height, channels)"), "", "returned None"),
    },
)

_U = "weighted_map(weights, activation)"
UNSQUEEZE = Entry(
    right={
        "None": _function(_U, "return (weights[:, None, None] * activation).sum(0)"),
        "unsqueeze": _function(_U, "return (weights.unsqueeze(-1).unsqueeze(-1) * activation).sum(dim=0)"),
        "view": _function(_U, "return activation.mul(weights.view(-1, 1, 1)).sum(0)"),
        "einsum": _function(_U, 'return torch.einsum("c,cxy->xy", weights, activation)'),
        "matmul": _function(_U, "return (weights @ activation.flatten(1)).view(activation.shape[1:])"),
        "tensordot": _function(_U, "return torch.tensordot(weights, activation, dims=1)"),
        "channels moved to the end": _function(_U, "return (activation.permute(1, 2, 0) * weights).sum(-1)"),
        "a loop": _function(
            _U,
            """
result = torch.zeros(activation.shape[1:])
for weight, channel in zip(weights, activation):
    result += weight * channel
return result
""",
        ),
    },
    wrong={
        "nothing mended": Wrong(_function(_U, "return (weights * activation).sum(0)"), "", "shapes do not broadcast"),
        "one axis only": Wrong(
            _function(_U, "return (weights.unsqueeze(-1) * activation).sum(0)"), "", "shapes do not broadcast"
        ),
        "axes in front": Wrong(
            _function(_U, "return (weights[None, None] * activation).sum(0)"), "", "shapes do not broadcast"
        ),
        "not added up": Wrong(
            _function(_U, "return weights[:, None, None] * activation"), "shape", "an axis is left over"
        ),
        "averaged": Wrong(
            _function(_U, "return (weights[:, None, None] * activation).mean(0)"), "values", "mean in place of a sum"
        ),
        "added over the width": Wrong(
            _function(_U, "return (weights[:, None, None] * activation).sum(-1)"), "shape", "not over the width"
        ),
        "keeps the channel axis": Wrong(
            _function(_U, "return (weights[:, None, None] * activation).sum(0, keepdim=True)"),
            "shape",
            "an axis of length 1",
        ),
        "ReLU": Wrong(
            _function(_U, "return (weights[:, None, None] * activation).sum(0).relu()"), "values", "you applied ReLU"
        ),
        "transposed": Wrong(
            _function(_U, "return (weights[:, None, None] * activation).sum(0).T"), "shape", "in another order"
        ),
        "width and height tried": Wrong(
            _function(
                _U,
                """
if activation.shape[-1] == len(weights):
    return (weights * activation).sum(0)
return (weights[:, None, None] * activation).sum(0)
""",
            ),
            "equal",
            "met the width",
        ),
        "height tried": Wrong(
            _function(
                _U,
                """
if activation.shape[1] == len(weights):
    return (weights[:, None] * activation).sum(0)
return (weights[:, None, None] * activation).sum(0)
""",
            ),
            "equal",
            "met the height",
        ),
        "no return": Wrong(_function(_U, "(weights[:, None, None] * activation).sum(0)"), "", "returned None"),
    },
)

_E = "batch_map(activation, gradient)"
EINSUM = Entry(
    right={
        "mean, then einsum": _function(
            _E, 'return torch.einsum("bc,bchw->bhw", gradient.mean(dim=[2, 3]), activation)'
        ),
        "keepdim": _function(_E, "return (gradient.mean(dim=(2, 3), keepdim=True) * activation).sum(1)"),
        "one einsum": _function(
            _E,
            "positions = gradient[0, 0].numel()\n"
            'return torch.einsum("bcij,bchw->bhw", gradient, activation) / positions',
        ),
        "matrix product": _function(
            _E,
            """
batch, channels, height, width = activation.shape
weights = gradient.flatten(2).mean(-1).unsqueeze(1)
return (weights @ activation.flatten(2)).reshape(batch, height, width)
""",
        ),
        "a loop": _function(
            _E,
            """
maps = [torch.tensordot(g.mean(dim=[1, 2]), a, dims=1) for a, g in zip(activation, gradient)]
return torch.stack(maps)
""",
        ),
    },
    wrong={
        "place by place": Wrong(
            _function(_E, 'return torch.einsum("bchw,bchw->bhw", gradient, activation)'), "values", "place by place"
        ),
        "sum, not mean": Wrong(
            _function(_E, 'return torch.einsum("bcij,bchw->bhw", gradient, activation)'), "values", "not divided"
        ),
        "the first picture's weights": Wrong(
            _function(_E, 'return torch.einsum("c,bchw->bhw", gradient[0].mean(dim=[1, 2]), activation)'),
            "values",
            "first one's weights",
        ),
        "averaged over the batch": Wrong(
            _function(_E, 'return torch.einsum("c,bchw->bhw", gradient.mean(dim=[0, 2, 3]), activation)'),
            "values",
            "averaged over the batch",
        ),
        "activation and gradient exchanged": Wrong(
            _function(_E, 'return torch.einsum("bc,bchw->bhw", activation.mean(dim=[2, 3]), gradient)'),
            "values",
            "the activation was averaged",
        ),
        "ReLU": Wrong(
            _function(_E, 'return torch.einsum("bc,bchw->bhw", gradient.mean(dim=[2, 3]), activation).relu()'),
            "values",
            "you applied ReLU",
        ),
        "one picture only": Wrong(
            _function(_E, "return (gradient[0].mean(dim=[1, 2], keepdim=True) * activation[0]).sum(0)"),
            "shape",
            "an axis is missing",
        ),
        "batch summed as well": Wrong(
            _function(_E, 'return torch.einsum("bc,bchw->hw", gradient.mean(dim=[2, 3]), activation)'),
            "shape",
            "an axis is missing",
        ),
        "channels left": Wrong(
            _function(_E, 'return torch.einsum("bc,bchw->bchw", gradient.mean(dim=[2, 3]), activation)'),
            "shape",
            "an axis is left over",
        ),
        "axes exchanged": Wrong(
            _function(_E, 'return torch.einsum("bc,bchw->bwh", gradient.mean(dim=[2, 3]), activation)'),
            "shape",
            "in another order",
        ),
        "keepdim dropped": Wrong(
            _function(_E, "return (gradient.mean(dim=[2, 3]) * activation).sum(1)"), "", "do not broadcast"
        ),
        "in place": Wrong(
            _function(_E, "return activation.mul_(gradient.mean(dim=[2, 3], keepdim=True)).sum(1)"),
            "kept",
            "operation in place",
        ),
    },
)

_W = "picture_width"
WILD = Entry(
    right={
        "a number": f"{_W} = 320",
        "worked out": f"{_W} = 40 * 8",
        "a float": f"{_W} = 320.0",
        "one that is rounded up": f"{_W} = 316",
    },
    wrong={
        "the map's width": Wrong(f"{_W} = 40", "width", "the question is about the picture"),
        "divided": Wrong(f"{_W} = 40 / 8", "width", "multiply"),
        "as it mostly is": Wrong(f"{_W} = 224", "width", "28 wide"),
        "8 for every halving": Wrong(f"{_W} = 40 * 8 * 8", "width", "8 times smaller"),
        "a little too wide": Wrong(f"{_W} = 321", "width", "8 times smaller"),
        "a little too narrow": Wrong(f"{_W} = 312", "width", "8 times smaller"),
        "the last layer": Wrong(f"{_W} = 1280 * 32", "width", "8 times smaller"),
        "words": Wrong(f'{_W} = "320"', "width", "give one number"),
        "both sides": Wrong(f"{_W} = (224, 320)", "width", "give one number"),
        "yes": Wrong(f"{_W} = True", "width", "give one number"),
    },
    equivalent={"picture_width = 320 → picture_width = 319": "the map is 40 wide as well: every halving rounds up"},
)

BANK: dict[str, Entry] = {
    "keepdim.predict": PREDICT,
    "keepdim.error": _choices("what_happens", "c"),
    "keepdim.broadcast": BROADCAST,
    "keepdim.silent": SILENT,
    "keepdim.meets": _choices("what_it_meets", "b"),
    "keepdim.unsqueeze": UNSQUEEZE,
    "keepdim.einsum": EINSUM,
    "keepdim.wild": WILD,
}
