"""What the gallery shows: each lesson is a panel, a text of two minutes, one question, and its answer.

To add one, write a function that makes the panel and returns the lesson, and name it in `LESSONS`. Numbers in the texts are
read from the panel, never typed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

import camwidget as cw
from camwidget.mistakes.groups import Group
from camwidget.mistakes.hide import HideTest

Panel = cw.CamPanel | cw.TextCamPanel | cw.MistakesPanel


@dataclass(frozen=True)
class Lesson:
    """One page of the gallery."""

    slug: str
    """Name of its file, without the ending."""
    title: str
    """What it is about, as a question that a learner would ask."""
    paragraphs: Sequence[str]
    """What to know and what to try, before the panel."""
    question: str
    """The one question."""
    answer: str
    """Hidden until asked for."""
    alt: str
    """Its picture in words."""
    panel: Panel
    """What one slides."""


def cat() -> Lesson:
    """One picture, one class, the last layer: what a class activation map is."""
    panel = cw.CamPanel(cw.demo_learner(), cw.demo_image("cat"), class_names=["dog", "cat"])
    panel.method = "cam"
    cells = panel.result.cam("0.8", "cat")
    row, column = divmod(int(cells.argmax()), cells.shape[1])
    high, wide = cells.shape
    return Lesson(
        slug="cat",
        title="What is the network looking at?",
        paragraphs=[
            f"This network tells cats from dogs. It says cat, {panel.result.answer('cat')}. Its last layer cuts the picture "
            f"into {high} × {wide} cells and gives every cell a number for each class. The mean of these numbers, and a small "
            "bias, is the cat's logit: nothing else goes into the answer. Red cells speak for cat.",
            "Guess first: where is most of it? Then point at the picture, or tap it, and read single cells. "
            "Take the class dog from the list and see what the same places say then.",
        ],
        question="Eyes, nose or fur: which cell says cat the loudest?",
        answer=f"The one in row {row + 1}, column {column + 1}, with {float(cells.max()):+.1f}: it lies on the nose. But look at the "
        f"scale before you say that the network looks at noses: the weakest cell still adds {float(cells.min()):+.1f}, "
        "and none speaks against cat. The whole picture is cat, so it says little about what a cat is.",
        alt="A cat's face, red where the network finds a cat: most of all at the nose and the left cheek.",
        panel=panel,
    )


def pair() -> Lesson:
    """Two things in one picture: each class has a map of its own."""
    panel = cw.CamPanel(
        cw.demo_learner("imagenet"), cw.demo_image("cat and coffee"), target_classes=["Egyptian cat", "espresso"]
    )
    panel.method, panel.mode, panel.other_class = "cam", "compare", "espresso"
    result = panel.results["cam"]
    cats, coffee = (result.cam("0.8", name) for name in ("Egyptian cat", "espresso"))
    below = float(cats[4:].sum())
    return Lesson(
        slug="cat-and-coffee",
        title="One picture, two answers",
        paragraphs=[
            "A cat above a cup of coffee, and a network that knows 1,000 classes. It prefers Egyptian cat "
            f"({result.answer('Egyptian cat')}) to espresso ({result.answer('espresso')}). Here are both maps, and what is left when "
            "one is taken from the other: why cat, and not espresso? The picture is the same, the map is not. A map belongs to a class.",
            "Guess before you read the numbers: where does the difference speak for espresso? Then choose swipe, and compare two layers "
            "or two methods in place of two classes.",
        ],
        question="Does the cup speak against the cat?",
        answer=f"A little. The three lowest rows of the cat's map add up to {below:+.1f}, where the three highest add up to "
        f"{float(cats[:3].sum()):+.1f}. The other way round the cat is worth {float(coffee[:3].sum()):+.1f} to espresso, which is "
        "for it, not against: a map says what the network added up, not what would make sense.",
        alt="A cat above a cup of coffee; the cat's face is red, the cup is not.",
        panel=panel,
    )


def inner_layer() -> Lesson:
    """A layer in the middle: where plain CAM is refused, and what Grad-CAM can say there."""
    panel = cw.CamPanel(cw.demo_learner(), cw.demo_image("cat"), class_names=["dog", "cat"])
    panel.method, panel.layer = "grad_cam", "0.3"
    largest = {name: float(panel.results["grad_cam"].cams[name].abs().max()) for name in ("0.3", "0.8")}
    return Lesson(
        slug="inner-layer",
        title="What can a layer in the middle say?",
        paragraphs=[
            "Layer 0.3 sees 28 × 28 cells: edges and patches of fur. Plain CAM has no answer here, because four more blocks "
            "bend the numbers before they become a logit; choose CAM as method and read the reason. Grad-CAM asks instead: "
            "if a channel grew a little everywhere, how much would the logit grow?",
            "Slide along the strip, from the first layer to the last, and watch the maps turn from texture into places. "
            "The numbers below the scale change as well.",
        ],
        question="The colours are as strong at 0.3 as at 0.8. Is the evidence?",
        answer=f"No. Every layer has its own scale. Full colour is {largest['0.3']:.2g} at 0.3 and {largest['0.8']:.2g} at 0.8, and "
        "at 0.3 the cells do not add up to the logit at all. Colours compare places within a layer; for layers, read "
        "the numbers.",
        alt="A cat's face at an inner layer: small red and blue patches along edges and fur.",
        panel=panel,
    )


def words() -> Lesson:
    """A review that praises and is read as a complaint."""
    panel = cw.TextCamPanel(cw.text_learner(), "Not bad at all, and never boring.")
    panel.method, panel.layer = "cam", "conv3"
    result = panel.results["cam"]
    values = result.word_values("conv3", "negative")
    loudest = result.words[int(torch.as_tensor(values).argmax())].text
    left_out = cw.explain(cw.text_learner(), result.text, method="occlusion").word_values(target_class="negative")
    kept = {word.text: float(value) for word, value in zip(result.words, left_out, strict=True)}
    return Lesson(
        slug="words",
        title="Which words decide?",
        paragraphs=[
            f"A small network has read ten thousand rated sentences. This one praises, and it says negative, "
            f"{result.answer('negative')}. Red words, with a line below, speak for the class that is chosen; blue ones, "
            "with a line above, against it.",
            "At layer conv3 a word stands for itself and its neighbours. Slide to embedding, where each word stands "
            "alone, and choose another method.",
        ],
        question="Which word misleads the network, and does it see the word that turns it round?",
        answer=f"The loudest word is {loudest!r}, and all words here speak for negative, even 'never'. Another question gives "
        f"another answer: leave 'never' out, and the logit for negative changes by {-kept['never']:+.2f}, so 'never' did hold it "
        "back. The map shows where evidence was found. What would happen without a word has to be tried.",
        alt="The sentence 'Not bad at all, and never boring.' with the words 'never boring' in red.",
        panel=panel,
    )


def guess() -> Lesson:
    """A guess before the map: where does a network look that has never heard of portraits?"""
    panel = cw.CamPanel(
        cw.demo_learner("imagenet"),
        cw.demo_image("coffee"),
        target_classes=["espresso"],
        methods=("cam",),
        predict=True,
    )
    cells = panel.result.cam("0.8", "espresso")
    high, wide = cells.shape
    row, column = divmod(int(cells.argmax()), wide)
    down, across = ("upper" if row < high // 2 else "lower"), ("left" if column < wide // 2 else "right")
    share = float(cells.flatten().sort(descending=True).values[:9].sum() / cells.sum())
    return Lesson(
        slug="guess-first",
        title="Can you guess where it looks?",
        paragraphs=[
            f"The network says espresso, {panel.result.answer('espresso')}. The map is hidden. Click the place where you think that most "
            "of the answer comes from: the coffee, the cup, the spoon, the saucer, the table? Then press the button.",
            "The distance is given in cells of the map. One cell off is as good as right: cells of the last layer see far beyond "
            "their own borders.",
        ],
        question="Was it the coffee?",
        answer=f"The strongest cell is in row {row + 1} of {high}, column {column + 1} of {wide}, in the {down} {across} part. The nine "
        f"strongest cells of {high * wide} hold {share:.0%} of the sum. If you were far off, that is the lesson: what makes an "
        "espresso for us need not be what makes one for a network, and without a guess nobody would have noticed.",
        alt="A cup of coffee from above, with a spoon on the saucer; no map is shown.",
        panel=panel,
    )


def mistakes() -> Lesson:
    """A whole data set: many mistakes that are one mistake."""
    data = cw.demo_dataset()
    found = cw.find_mistakes(cw.demo_mistakes_learner(data), data / "test", progress=False)
    groups = [group for group in cw.group_maps(found) if group.pointed_out]
    return about_mistakes(found, groups[0], cw.hide_place(found, groups[0]))


def about_mistakes(found: cw.Found, group: Group, trial: HideTest) -> Lesson:
    """Return the lesson on a data set's mistakes.

    Args:
        found: the mistakes.
        group: of pictures that look at one place.
        trial: what hiding that place did.
    """
    table = found.table
    wrong = table[~table["right"]]
    alike = int((wrong["said"] == group.said).sum())
    return Lesson(
        slug="mistakes",
        title="Are many mistakes one mistake?",
        paragraphs=[
            f"A network that was right on nearly all of its validation set is wrong on {len(wrong)} of {len(table)} test pictures. Here are "
            "all of them, each with two maps: why it said what it said, and why not what it is.",
            f"The maps were put into groups, without a look at the pictures. {len(group)} pictures that are called {group.said} are red at one "
            "place, whatever they show. Guess what lies there. Then look at some of them, and at the mistakes that are called something else.",
        ],
        question="What did the network learn to call coffee? And is that its only mistake?",
        answer=f"A date in the corner: {alike} of the {len(wrong)} mistakes are called {group.said}. In training only coffee had dates, so the network "
        f"learned the date. Hidden, it takes the mean probability from {trial.before:.2f} to {trial.hidden:.2f}; as much hidden "
        f"elsewhere leaves {trial.elsewhere:.2f}. The others have no date, and no map shows why they are wrong: many of them are dark, and "
        "no dark cat was ever trained on. Darkness has no place that a map could point to.",
        alt="Nine small pictures that a network got wrong; most have a date in the corner.",
        panel=cw.MistakesPanel(found, groups=[group], tests=[trial]),
    )


LESSONS: Sequence[Callable[[], Lesson]] = (guess, cat, pair, inner_layer, words, mistakes)
"""All lessons, in their order."""
