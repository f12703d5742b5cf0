"""The text panel's traits, controls and messages, without a browser."""

import asyncio
from typing import Any

import numpy as np
import pytest

from camwidget.errors import ClassError, LayerError, MapError, TextError
from camwidget.panel.text import TextCamPanel
from camwidget.panel.view import TextView
from camwidget.text.tokens import Token
from tests.panel.choices import ask, control
from tests.text.toys import Reviews, awd_learner
from tests.toys import Counted

TEXT = "I liked the film, 😀 very zzqx good"


class Counting(Counted, Reviews):
    """A network that counts how often it runs."""

    def head(self, *inputs: Any) -> Any:
        self.tally.count += 1
        return super().head(*inputs)


@pytest.fixture
def model() -> Counting:
    return Counting().double()


@pytest.fixture
def panel(model: Counting) -> TextCamPanel:
    return TextCamPanel(model, TEXT)


def numbers(panel: TextCamPanel, manifest: dict[str, Any], method: int, target: int, layer: int) -> np.ndarray:
    """The values of one map as the browser reads them."""
    entry = manifest["maps"][method][target][layer]
    steps = np.frombuffer(panel.view.maps, "<i2")[entry["offset"] : entry["offset"] + len(manifest["words"])]
    return steps * entry["unit"]


def delete(panel: TextCamPanel, word: str, place: int, *, text: int = 0, version: int | None = None) -> None:
    """Click on a word, on the version of the text that is shown or on another."""
    manifest = panel.view.manifest["other"] if text else panel.view.manifest
    assert manifest["words"][place]["text"] == word
    shown = manifest["version"] if version is None else version
    ask(panel, "delete", text=text, word=place, version=shown)


def test_it_starts_at_the_deepest_layer_and_the_most_probable_class(panel: TextCamPanel) -> None:
    assert panel.layer == "conv3"
    assert panel.target_class == int(panel.result.logits.argmax())
    assert control(panel, "Text").value == TEXT
    assert not panel.view.has_trait("cells")


def test_it_starts_with_the_method_whose_values_add_up_at_every_layer(panel: TextCamPanel, model: Counting) -> None:
    assert panel.method == "hires_cam"
    assert TextCamPanel(model, TEXT, methods=("cam", "grad_cam")).method == "grad_cam", "CAM has one layer here"
    assert TextCamPanel(model, TEXT, methods=("occlusion", "cam")).method == "occlusion"


def test_the_browser_gets_a_value_for_every_word_and_the_text_in_its_pieces(panel: TextCamPanel) -> None:
    manifest = panel.view.manifest

    assert "".join(each["before"] + each["text"] for each in manifest["words"]) + manifest["tail"] == TEXT
    assert [each["text"] for each in manifest["words"] if not each["known"]] == ["film,", "😀", "zzqx"]
    for method, name in enumerate(("cam", "grad_cam", "hires_cam", "occlusion")):
        result = panel.results[name]
        for target, index in enumerate(result.target_classes):
            expected = result.word_values("conv3", index).numpy()
            assert numbers(panel, manifest, method, target, 3) == pytest.approx(
                expected, abs=np.abs(expected).max() / 6e4
            )


def test_a_new_panel_sends_its_maps_once(model: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    show = TextView.show
    monkeypatch.setattr(TextView, "show", lambda *args, **kwargs: (sent.append("all"), show(*args, **kwargs)))

    TextCamPanel(model, TEXT)
    TextCamPanel(model, TEXT, methods=("hires_cam",))

    assert len(sent) == 2


def test_it_is_busy_while_it_explains_and_no_longer(panel: TextCamPanel, model: Counting) -> None:
    told: list[str] = []
    panel.view.observe(lambda change: told.append(change["new"]), names=["busy"])
    work = ["Explaining the text", ""]

    panel.text = "not bad"
    assert told == work
    panel.compare = "not good"
    assert told == work * 2
    with pytest.raises(TextError):
        panel.text = ""
    assert told == work * 3
    del model.classifier  # an error that is none of ours
    with pytest.raises(AttributeError):
        panel.text = "very bad"
    assert told == work * 4


def test_moving_any_control_never_runs_the_model(panel: TextCamPanel, model: Counting) -> None:
    before = model.runs

    for description in ("Layer", "Class", "Method", "Evidence", "Scale"):
        control(panel, description).index = 1
        control(panel, description).index = 0
    panel.layer = "conv2"

    assert model.runs == before
    assert control(panel, "Layer").index == 2


def test_a_new_text_is_explained_for_the_same_class_at_the_same_layer(panel: TextCamPanel) -> None:
    panel.layer, panel.target_class = "conv1", panel.result.target_classes[1]
    classes = panel.result.target_classes

    panel.text = "a very bad movie"

    assert (panel.layer, panel.result.target_classes) == ("conv1", classes)
    assert panel.target_class == classes[1]
    assert control(panel, "Text").value == "a very bad movie"
    assert [each["text"] for each in panel.view.manifest["words"]] == ["a", "very", "bad", "movie"]


def test_typing_explains_and_a_bad_text_is_told_while_the_last_good_one_stays(panel: TextCamPanel) -> None:
    box = control(panel, "Text")

    box.value = "not bad"
    assert panel.text == "not bad"
    box.value = "   "

    assert panel.text == "not bad"
    assert box.value == "   "
    assert "The text is empty" in panel.view.message
    box.value = "not bad "
    assert panel.view.message == ""


@pytest.mark.parametrize(
    ("trait", "value", "error", "words"),
    [
        ("text", None, TextError, "None"),
        ("text", b"good", TextError, "bytes"),
        ("text", ["good"], TextError, "list"),
        ("compare", " ", TextError, "empty"),
        ("layer", "conv9", LayerError, "TextCamPanel"),
        ("target_class", "neutral", ClassError, "neutral"),
        ("method", "eigen_cam", MapError, "occlusion"),
    ],
)
def test_bad_input_raises_is_explained_in_the_panel_and_changes_nothing(
    panel: TextCamPanel, trait: str, value: Any, error: type[Exception], words: str
) -> None:
    names = ("text", "compare", "layer", "target_class", "method")
    before = {name: getattr(panel, name) for name in names}
    shown = (panel.view.maps, panel.view.manifest)

    with pytest.raises(error, match=words):
        setattr(panel, trait, value)

    assert {name: getattr(panel, name) for name in names} == before
    assert (panel.view.maps, panel.view.manifest) == shown
    assert words in panel.view.message


def test_deleting_a_word_says_what_it_did_and_can_be_undone(panel: TextCamPanel) -> None:
    before = {str(index): float(panel.result.probabilities[index]) for index in (0, 1)}
    lost = panel.results["occlusion"].word_values("conv3", 1)[6]
    logits = panel.result.logits

    delete(panel, "zzqx", 6)

    assert panel.text == "I liked the film, 😀 very good"
    assert panel.view.manifest["change"] == {"text": 0, "word": "zzqx", "before": before}
    assert float(logits[1] - panel.result.logits[1]) == pytest.approx(float(lost), abs=1e-12)
    delete(panel, "I", 0)
    assert panel.text == "liked the film, 😀 very good"
    ask(panel, "undo")
    assert panel.view.manifest["change"]["word"] == "zzqx"
    ask(panel, "undo")
    assert (panel.text, panel.view.manifest["change"]) == (TEXT, None)
    ask(panel, "undo")
    assert panel.text == TEXT


def test_a_click_on_words_that_have_changed_meanwhile_does_nothing(panel: TextCamPanel) -> None:
    version = panel.view.manifest["version"]
    panel.text = "not bad"
    panel.text = TEXT  # the same words as before, but another text

    delete(panel, "zzqx", 6, version=version)

    assert panel.text == TEXT


def test_two_clicks_of_one_gesture_delete_one_of_two_equal_words(model: Counting) -> None:
    panel = TextCamPanel(model, "very very good", compare="very very bad")
    first, second = panel.view.manifest["version"], panel.view.manifest["other"]["version"]

    for _ in range(2):  # the page sends the second click before it hears of the first one's outcome
        ask(panel, "delete", text=0, word=0, version=first)
    ask(panel, "delete", text=1, word=0, version=second)  # the other text is as it was

    assert (panel.text, panel.compare) == ("very good", "very bad")
    delete(panel, "very", 0)
    assert panel.text == "good"


def test_the_last_word_cannot_be_deleted(model: Counting) -> None:
    panel = TextCamPanel(model, "good")

    delete(panel, "good", 0)

    assert panel.text == "good"
    assert "empty" in panel.view.message
    assert panel.view.manifest["change"] is None


def test_a_deleted_word_of_a_regression_says_the_value_before(model: Counting) -> None:
    panel = TextCamPanel(model, TEXT, activation="none")
    before = {str(index): float(panel.result.logits[index]) for index in (0, 1)}

    delete(panel, "zzqx", 6)

    assert panel.view.manifest["change"]["before"] == before
    assert [each["probability"] for each in panel.view.manifest["classes"]] == [None, None]
    assert "%" not in repr(panel.result)


def test_a_second_text_has_the_same_classes_and_its_own_values(model: Counting) -> None:
    panel = TextCamPanel(model, TEXT, compare="very very bad", target_classes=[0])
    other = panel.view.manifest["other"]

    assert [each["text"] for each in other["words"]] == ["very", "very", "bad"]
    expected = panel.compared["grad_cam"].word_values("conv2", 0).numpy()
    assert numbers(panel, other, 1, 0, 2) == pytest.approx(expected, abs=np.abs(expected).max() / 6e4)
    panel.target_class = 1
    assert panel.compared["cam"].target_classes == panel.result.target_classes == (0, 1)
    delete(panel, "bad", 2, text=1)
    assert (panel.compare, control(panel, "Second text").value) == ("very very ", "very very ")
    panel.compare = None
    assert panel.view.manifest["other"] is None
    assert control(panel, "Second text").layout.display == "none"


def test_saved_without_a_kernel_the_words_stay_and_their_tags_are_text(model: Counting) -> None:
    panel = TextCamPanel(model, "good <script>alert(1)</script> bad")

    html = panel._repr_mimebundle_()["text/html"]

    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert html.count("background-color") >= 2


def test_saved_without_a_kernel_a_line_tells_the_sign_of_a_word(panel: TextCamPanel) -> None:
    panel.method, panel.layer = "hires_cam", "embedding"
    values = panel.result.word_values(panel.layer, panel.target_class)
    share = values / max(float(panel.result.word_values(panel.layer, each).abs().max()) for each in (0, 1))

    words = panel._repr_mimebundle_()["text/html"].split("<span")[1:]

    assert min(share) < -0.2 < 0.2 < max(share)
    for word, part in zip(words, share.tolist(), strict=True):
        if abs(part) > 0.2:
            assert ("overline" in word, "underline" in word) == (part < 0, part > 0)


def test_what_stands_for_no_word_is_told_apart() -> None:
    panel = TextCamPanel(awd_learner(seq_len=50), "I loved this movie", methods=("grad_cam", "occlusion"))
    manifest = panel.view.manifest

    layer = [each["name"] for each in manifest["layers"]].index(panel.layer)
    assert manifest["maps"][0][0][layer]["rest"] == pytest.approx(panel.result.rest(panel.layer, panel.target_class))
    assert manifest["maps"][0][0][layer]["rest"] != 0
    assert [each["knows_layer"] for each in manifest["methods"]] == [True, False]


def test_a_part_of_a_cam_is_told_in_the_logits_own_measure() -> None:
    """The mean of a CAM is the contribution, so special tokens give their share of the mean and not of the sum."""
    model = Reviews().double()
    plain = model.vocabulary.tokens
    begin = Token("xxbos", 0, 0, 1, True, True)
    model.vocabulary.tokens = lambda text: (begin, *plain(text))
    panel = TextCamPanel(model, "very good film", layers=["conv3"], methods=("cam", "grad_cam"))

    by_cam, by_gradient = (per_class[0][0] for per_class in panel.view.manifest["maps"])

    assert by_cam["rest"] == pytest.approx(by_gradient["rest"], abs=1e-12)
    assert abs(by_cam["rest"]) > 1e-6


def test_a_word_deleted_while_a_text_was_being_typed_stays_deleted(
    panel: TextCamPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camwidget.panel.text.TYPING_PAUSE", 0.02)

    async def type_and_click() -> list[str]:
        control(panel, "Text").value = "not bad"
        delete(panel, "I", 0)
        deleted = panel.text
        await asyncio.sleep(0.1)
        return [deleted, panel.text]

    assert asyncio.run(type_and_click()) == [TEXT.removeprefix("I ")] * 2


def test_typing_is_explained_once_the_typist_pauses(
    panel: TextCamPanel, model: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camwidget.panel.text.TYPING_PAUSE", 0.05)
    shown: list[str] = []
    panel.observe(lambda change: shown.append(change["new"]), names=["text"])

    async def type_on() -> None:
        for end in range(1, 8):
            control(panel, "Text").value = "not bad"[:end]
        await asyncio.sleep(0.3)

    asyncio.run(type_on())

    assert shown == ["not bad"]


def test_no_list_of_methods_is_told_and_not_a_stumble(model: Counting) -> None:
    with pytest.raises(MapError, match="magic"):
        TextCamPanel(model, TEXT, methods=("magic",))
    with pytest.raises(MapError, match="No method was asked for"):
        TextCamPanel(model, TEXT, methods=[])


class Long(Reviews):
    """A network that cannot read less than four words."""

    def head(self, vectors: Any, kept: Any) -> Any:
        if kept.shape[1] < 4:
            raise RuntimeError("Kernel size can't be greater than actual input size")
        return super().head(vectors, kept)


def test_what_the_model_raises_on_a_text_is_told_in_the_panel_and_changes_nothing() -> None:
    panel = TextCamPanel(Long().double(), "a very good film", methods=["hires_cam"])
    shown = panel.view.maps

    for change in (
        lambda: setattr(panel, "text", "good"),
        lambda: panel._do({"do": "delete", "text": 0, "word": 2, "version": 1}, []),
    ):
        panel.view.message = ""
        with pytest.raises(RuntimeError, match="Kernel size"):
            change()
        assert "The model raised RuntimeError on this text: Kernel size can't" in panel.view.message
        assert (panel.text, panel.view.maps, panel.view.busy) == ("a very good film", shown, "")
    panel.target_class = 0
    panel.compare = "a very bad film"
    assert panel.view.manifest["change"] is None
    assert panel.view.message == ""
