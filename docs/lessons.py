"""What the gallery shows: each lesson is a panel, a text of two minutes, one question, and its answer.

To add one, write a function that makes the panel and returns the lesson, and name it in `LESSONS`. Numbers in the texts are
read from the panel, never typed. Two lessons have a place here once their panels are there: the mistakes of a data set, and
a page that asks for a guess before it shows a map.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

import camwidget as cw

Panel = cw.CamPanel | cw.TextCamPanel


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
    panel.method = "cam"
    result = panel.results["cam"]
    cats, coffee = (result.cam("0.8", name) for name in ("Egyptian cat", "espresso"))
    below = float(cats[4:].sum())
    return Lesson(
        slug="cat-and-coffee",
        title="One picture, two answers",
        paragraphs=[
            "A cat above a cup of coffee, and a network that knows 1,000 classes. It prefers Egyptian cat "
            f"({result.answer('Egyptian cat')}) to espresso ({result.answer('espresso')}). Slide between the two in the list: "
            "the picture is the same, the map is not. A map belongs to a class.",
            "Both maps have one scale, so a weaker answer looks weaker. Under Scale choose one for each class, and the "
            "coffee becomes as red as the cat. Which of the two is honest depends on what you want to compare.",
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


LESSONS: Sequence[Callable[[], Lesson]] = (cat, pair, inner_layer, words)
"""All lessons, in their order."""
