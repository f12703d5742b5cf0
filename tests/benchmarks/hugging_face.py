"""Families of the transformers library that nobody here chose: right, refused or wrong, beside PyTorch's own gradient.

    python -m tests.benchmarks.hugging_face texts
    python -m tests.benchmarks.hugging_face pictures

The rule: every family that `AutoModelForSequenceClassification` or `AutoModelForImageClassification` knows, made small
by one set of numbers for all, or as it is where it does not run with these. What then has more than MOST_PARAMETERS,
or does not run by itself, is passed over and said. Weights are random, in double precision. Every layer
that is shown by default is compared: HiResCAM with activation times gradient, added up over the channels, by a hook on
the layer.
"""

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor, nn
from transformers.models.auto import modeling_auto

from camwidget.errors import CamwidgetError
from camwidget.hooks.tensors import tensors_in
from camwidget.pictures.explain import explain
from camwidget.text.explain import explain_text
from tests.benchmarks.strangers import CLOSE

MOST_PARAMETERS = 40_000_000
CLASSES, TARGET = 5, 1
SPECIAL = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
WORDS = [
    *SPECIAL.values(),
    *["the", "film", "was", "not", "good", "bad", "a", "very", "long", "story", "about", "nothing", "at", "all"],
]
TEXT = "The film was not good: a very long story"

_WIDTH = "hidden_size d_model n_embd embedding_size embedding_hidden_size emb_dim embed_dim dim word_embed_proj_dim"
_DEPTH = "num_hidden_layers n_layers n_layer num_layers encoder_layers decoder_layers"
_HEADS = "num_attention_heads n_heads n_head num_heads encoder_attention_heads decoder_attention_heads"
_INNER = "intermediate_size d_ff d_inner n_inner ffn_dim hidden_dim encoder_ffn_dim decoder_ffn_dim"
_EIGHT = "head_dim d_kv d_head kv_lora_rank q_lora_rank qk_rope_head_dim qk_nope_head_dim v_head_dim num_latents"
_TWO = "num_key_value_heads num_experts num_local_experts n_routed_experts"
_ONE = "num_experts_per_tok n_group topk_group first_k_dense_replace num_blocks"
SMALL: dict[str, Any] = {
    **dict.fromkeys(_WIDTH.split(), 32),
    **dict.fromkeys(_DEPTH.split(), 2),
    **dict.fromkeys(_HEADS.split(), 4),
    **dict.fromkeys(_INNER.split(), 40),
    **dict.fromkeys(_EIGHT.split(), 8),
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_ONE.split(), 1),
    "block_sizes": [1, 1],
    "attention_window": [4, 4],
}
OF_TEXTS: dict[str, Any] = {
    **dict.fromkeys(("vocab_size", "vocab_size_per_layer_input"), len(WORDS)),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx"), 64),
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
ENDS_WITHOUT = frozenset({"bloom", "ctrl", "gpt2", "gpt_neo", "gpt_neox", "gptj", "llama", "opt"})
"""Families that read the last word, and whose tokenizers put no token of their own around a text."""


class PassedOverError(Exception):
    """It cannot be tried here; the message is why."""


def configured(family: str, numbers: dict[str, Any]) -> Any:
    config = transformers.AutoConfig.for_model(family)
    config.num_labels = CLASSES
    for name, number in numbers.items():
        if hasattr(config, name) and (isinstance(number, list) or not isinstance(getattr(config, name), list)):
            with suppress(AttributeError, NotImplementedError):  # some numbers follow from others
                setattr(config, name, number)
    if isinstance(getattr(config, "layer_types", None), list):
        with suppress(AttributeError):
            config.layer_types = config.layer_types[:2]
    return config


def small_model(family: str, auto: Any, numbers: dict[str, Any], inputs: Any) -> tuple[nn.Module, Tensor]:
    """A network of a family with random weights, and what it runs on."""
    why = ""
    for shrunk in (numbers, {}):
        try:
            config = configured(family, shrunk)
            with torch.device("meta"):
                count = sum(each.numel() for each in auto.from_config(config).parameters())
            if count > MOST_PARAMETERS:
                why = why or f"{count / 1e6:.0f} million parameters"
                continue
            torch.manual_seed(0)
            model = auto.from_config(config).double().eval()
            spread(model)
            given = inputs(config)
            with torch.no_grad():
                model(given).logits  # noqa: B018 (whether there are any)
        except Exception as error:  # noqa: BLE001 (a family that these numbers do not fit raises what it likes)
            why = f"does not run by itself: {type(error).__name__}: {error}"
        else:
            return model, given
    raise PassedOverError(why)


def spread(model: nn.Module) -> None:
    """Weights near zero, as networks begin, hardly tell layers and words apart."""
    for weight in model.parameters():
        if weight.ndim > 1 and float(weight.std()) < 0.05:
            nn.init.normal_(weight, std=0.2)


def tokenizer(family: str) -> Any:
    words = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.normalizer, words.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    if family not in ENDS_WITHOUT:
        ends = [(name, WORDS.index(name)) for name in ("[CLS]", "[SEP]")]
        words.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=words, **SPECIAL)


def sums_at(model: nn.Module, name: str, inputs: Tensor) -> list[Tensor]:
    """Activation times gradient at a layer, added up over each axis that may hold the channels, as rows of places."""
    kept: list[Tensor] = []
    hook = model.get_submodule(name).register_forward_hook(lambda _, __, output: kept.append(tensors_in(output)[0]))
    try:
        logits = model(inputs).logits
    finally:
        hook.remove()
    product = (kept[-1] * torch.autograd.grad(logits[0, TARGET], kept[-1])[0]).detach()
    return [product.sum(dim=axis).flatten() for axis in range(product.ndim) if product.shape[axis] > 1]


def differs(ours: Tensor, theirs: list[Tensor]) -> float:
    """The largest difference, relative to the largest value, from the axis that fits best; special tokens may be first
    or last in a row of places, and are left out."""
    ours = ours.flatten().double()
    cut = [part for row in theirs if len(row) >= len(ours) for part in (row[-len(ours) :], row[: len(ours)])]
    scale = float(ours.abs().max()) or 1.0
    return min((float((ours - each).abs().max()) / scale for each in cut), default=float("inf"))


def of_texts(family: str) -> tuple[Any, nn.Module, Tensor]:
    reader = tokenizer(family)
    inputs = torch.tensor([reader(TEXT)["input_ids"]])
    auto = transformers.AutoModelForSequenceClassification
    model, _ = small_model(family, auto, SMALL | OF_TEXTS, lambda _: inputs)
    model.vocabulary = reader
    return explain_text(model, TEXT, method="hires_cam", target_classes=[TARGET]), model, inputs


def of_pictures(family: str) -> tuple[Any, nn.Module, Tensor]:
    def picture(config: Any) -> Tensor:
        size = getattr(config, "image_size", 224)
        side = size if isinstance(size, int) else size[0]
        return torch.randn(1, getattr(config, "num_channels", 3), side, side, dtype=torch.float64)

    model, inputs = small_model(family, transformers.AutoModelForImageClassification, SMALL, picture)
    return explain(model, inputs, method="hires_cam", target_classes=[TARGET]), model, inputs


TRIED = {
    "texts": (modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES, of_texts),
    "pictures": (modeling_auto.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES, of_pictures),
}


def judged(kind: str) -> Iterator[tuple[str, str, str]]:
    """Family, outcome, and the reason or what was compared."""
    families, explained = TRIED[kind]
    for family in families:
        try:
            result, model, inputs = explained(family)
            worst = max(
                differs(result.cam(layer.name, target_class=TARGET), sums_at(model, layer.name, inputs))
                for layer in result.layers
            )
        except PassedOverError as error:
            yield family, "passed over", str(error)
        except CamwidgetError as error:
            yield family, "refused", str(error)
        except Exception as error:  # noqa: BLE001 (an error that is not ours is an outcome, too)
            yield family, "raw error", f"{type(error).__name__}: {error}"
        else:
            yield family, "right" if worst <= CLOSE else "wrong", f"{len(result.layers)} layers, {worst:.0e}"


def main() -> None:
    """Print a table, and how often each outcome came."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("kind", choices=TRIED)
    kind = parser.parse_args().kind
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    counts = Counter[str]()
    print("| family | outcome | reason, or layers and largest relative difference |\n|---|---|---|")
    for family, outcome, reason in judged(kind):
        counts[outcome] += 1
        print(f"| {family} | {outcome} | {' '.join(reason.split())[:300]} |", flush=True)
    print("\n" + ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))


if __name__ == "__main__":
    sys.exit(main())
