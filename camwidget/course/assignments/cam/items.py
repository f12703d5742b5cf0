"""The items of `cam`: from an activation to the map of a class, and what makes such a map honest."""

from functools import partial

from camwidget.course.assignments.cam.dls import judge_class_name, judge_picture_again
from camwidget.course.assignments.cam.heads import judge_cam_head
from camwidget.course.assignments.cam.judges import judge_find_layer, judge_logits, judge_scores
from camwidget.course.assignments.cam.quizzes import OPTIONS
from camwidget.course.items import Item, quiz

ITEMS = (
    quiz("cam.q2a", "Which layer does CAM use, and why that one?", OPTIONS["cam.q2a"]),
    Item(
        "cam.q2b",
        "Find the layer that CAM uses in a network you have not seen",
        judge=partial(judge_find_layer, kinds=("nested", "child", "wrapped", "jumbled", "in_a_row")),
        rounds=1,
        facts={
            "name": ("a name of one of the network's modules is returned", 1),
            "layer": ("it is the last layer with a map, whatever the network", 2),
            "mode": ("the network runs in evaluation mode", 1),
            "kept": ("the network is left as it was: the mode of every module, and no hook", 1),
        },
    ),
    Item(
        "cam.q7a",
        "Score every position for every class with einsum",
        judge=partial(judge_scores, batch=False),
        rounds=1,
        facts={
            "shape": ("there is one map per class, of the activation's height and width", 1),
            "values": ("each value is the sum over channels of weight times activation", 2),
            "kept": ("weight and activation are left as they were", 1),
        },
    ),
    Item(
        "cam.q7b",
        "The same for a batch of pictures",
        judge=partial(judge_scores, batch=True),
        rounds=1,
        facts={
            "shape": ("there is one map per picture and class", 1),
            "values": ("each value is the sum over channels, picture by picture", 2),
            "kept": ("weight and activations are left as they were", 1),
        },
    ),
    Item(
        "cam.q8",
        "From the index of a class to its name, for any dls",
        judge=partial(judge_class_name, tensors_first=False),
        rounds=1,
        facts={
            "name": ("the name is the one that the dls gives to this index", 1),
            "tensor": ("the index may be a tensor, as argmax returns it", 1),
            "any": ("it works for every dls of pictures, whatever its classes are", 1),
        },
    ),
    Item(
        "cam.q9",
        "Show an input again: decode",
        judge=partial(judge_picture_again, spread=0.5),
        rounds=1,
        facts={
            "shape": ("one picture comes back: three colours, height, width", 1),
            "values": ("the colours are those of the picture, 0 to 255, with the normalisation undone", 2),
            "kept": ("the inputs are left as they were", 1),
        },
    ),
    Item(
        "cam.mean_plus_bias",
        "From the map back to the logit",
        judge=partial(judge_logits, high=9),
        rounds=1,
        facts={
            "shape": ("there is one logit per class", 1),
            "values": ("mean of the map plus bias is the logit", 1),
            "sizes": ("maps of any height and width do, with any number of classes", 1),
            "kept": ("maps and bias are left as they were", 1),
        },
    ),
    quiz("cam.two_layers", "Two linear layers: why the einsum is no CAM", OPTIONS["cam.two_layers"], points=2),
    Item(
        "cam.cam_head",
        "Build a head for which CAM is right",
        judge=partial(judge_cam_head, strength=1.0),
        rounds=1,
        facts={
            "shape": ("the head turns an activation of any size into one logit per class", 1),
            "linear": ("mean of weight times activation, plus bias, is exactly its logit", 2),
            "mode": ("in evaluation mode it gives the same answer every time", 1),
        },
    ),
)
