"""Items of `cam`: from an activation to a map of a class, and what makes such a map honest."""

from camwidget.course.assignments.cam.dls import judge_class_name, judge_picture_again
from camwidget.course.assignments.cam.judges import judge_cam_head, judge_find_layer, judge_logits, judge_scores
from camwidget.course.assignments.cam.quizzes import add_head_quiz, add_layer_quiz
from camwidget.course.attempt import Attempt
from camwidget.course.items import Items

ITEMS = Items("cam")

add_layer_quiz(ITEMS)


@ITEMS.item(
    "q2b",
    "Find the layer that CAM uses in a network you have not seen",
    question=2,
    difficulty=3,
    minutes=10,
    facts={
        "name": ("a name of one of the network's modules is returned", 1),
        "layer": ("it is the last layer with a map, whatever the network", 2),
        "kept": ("the network is left as it was: mode and hooks", 1),
    },
    hints=(
        "A layer has a map if it puts out four axes: picture, channel, height, width, and more than one cell. Only "
        "running the network tells what a layer puts out.",
        "Put a forward hook on every module of `model.named_modules()`, run the model once in evaluation mode, and note "
        "in the hook who put out a map, in the order in which they run. Take the hooks off again.",
        "`handles = [m.register_forward_hook(partial(note, name)) for name, m in model.named_modules() if name]`, with "
        "`note` adding `name` to a list if `output.ndim == 4 and output.shape[2] * output.shape[3] > 1`. The last name "
        "in the list is the answer.",
    ),
)
def find_layer(attempt: Attempt) -> None:
    """Judge a function (model, inputs) -> name of the last layer with a map."""
    judge_find_layer(attempt, deep=False)


_EINSUM_HINTS = (
    "Write down the shapes. Which axis do weight and activation share? That one is summed over.",
    "Give each axis a letter: k for channels, c for classes, i and j for the place. Letters that are missing behind the "
    "arrow are summed over.",
    '`torch.einsum("ck,kij->cij", weight, activation)`; for a batch one more letter, b, stands in front on both sides.',
)


@ITEMS.item(
    "q7a",
    "Score every position for every class with einsum",
    question=7,
    difficulty=2,
    minutes=8,
    facts={
        "shape": ("there is one map per class, of the activation's height and width", 1),
        "values": ("each value is the sum over channels of weight times activation", 2),
        "kept": ("weight and activation are left as they were", 1),
    },
    hints=_EINSUM_HINTS,
)
def scores(attempt: Attempt) -> None:
    """Judge a function (activation, weight) -> maps."""
    judge_scores(attempt, batch=False)


@ITEMS.item(
    "q7b",
    "The same for a batch of pictures",
    question=7,
    difficulty=2,
    minutes=5,
    facts={
        "shape": ("there is one map per picture and class", 1),
        "values": ("each value is the sum over channels, picture by picture", 2),
        "kept": ("weight and activations are left as they were", 1),
    },
    hints=_EINSUM_HINTS,
)
def batch_scores(attempt: Attempt) -> None:
    """Judge a function (activations of a batch, weight) -> maps."""
    judge_scores(attempt, batch=True)


@ITEMS.item(
    "q8",
    "From the index of a class to its name, for any dls",
    question=8,
    minutes=5,
    facts={
        "name": ("the name is the one that the dls gives to this index", 2),
        "any": ("it works for every dls, whatever its classes are", 1),
    },
    hints=(
        "The numbers of the output are in the order in which fastai numbered the classes. Where does a dls keep that order?",
        "`dls.vocab` is a list: the first entry is the name of class 0.",
        "`return dls.vocab[index]`. An index that is a tensor works too, or take `int(index)`.",
    ),
)
def class_name(attempt: Attempt) -> None:
    """Judge a function (dls, index) -> name."""
    judge_class_name(attempt, tensor_index=False)


@ITEMS.item(
    "q9",
    "Show an input again: decode",
    question=9,
    difficulty=2,
    minutes=6,
    facts={
        "shape": ("one picture comes back: three colours, height, width", 1),
        "values": ("the colours are those of the picture, 0 to 255, with the normalisation undone", 2),
        "kept": ("the inputs are left as they were", 1),
    },
    hints=(
        "What the network gets is normalised: some numbers are negative. Who knows which mean and deviation were used?",
        "Every transform of a dls knows its way back. `dls.train.decode` takes a tuple with a batch.",
        "`dls.train.decode((inputs,))[0][0]`: the first element of the tuple, the first picture of the batch.",
    ),
)
def picture_again(attempt: Attempt) -> None:
    """Judge a function (dls, inputs) -> the first picture's colours."""
    judge_picture_again(attempt, spread=0.5)


@ITEMS.item(
    "mean_plus_bias",
    "From the map back to the logit",
    difficulty=2,
    minutes=6,
    facts={
        "shape": ("there is one logit per class", 1),
        "values": ("mean of the map plus bias is the logit", 2),
        "sizes": ("maps of any height and width do", 1),
    },
    hints=(
        "The network pools first and weighs then; you have weighed first. Does the order matter for sums?",
        "Averaging over positions and adding over channels may change places. What is added last?",
        "`maps.mean(dim=(1, 2)) + bias`",
    ),
)
def logits_from_maps(attempt: Attempt) -> None:
    """Judge a function (maps, bias) -> logits."""
    judge_logits(attempt, low=2, high=9)


add_head_quiz(ITEMS)


@ITEMS.item(
    "cam_head",
    "Build a head for which CAM is right",
    difficulty=3,
    minutes=10,
    facts={
        "shape": ("the head turns an activation of any size into one logit per class", 1),
        "linear": ("mean of weight times activation, plus bias, is exactly its logit", 2),
        "mode": ("in evaluation mode it gives the same answer every time", 1),
    },
    hints=(
        "Between the activation and the logits nothing may happen that is not a weighted sum of the means.",
        "Three modules are enough: pool to one cell, flatten, one linear layer. What about a ReLU? A second linear layer?",
        "`nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))`",
    ),
)
def cam_head(attempt: Attempt) -> None:
    """Judge a function (channels, classes) -> head."""
    judge_cam_head(attempt, strength=1.0)
