"""Answers to the items of `mistakes`."""

from tests.course.bank import Entry
from tests.course.bank.common import body, quiz, wrong_body

TOP = "def top_losses(logits, labels, k):"
SURE = "def sure_and_wrong(logits, labels):"
DIFFERENCE = "def difference_maps(activation, weight, bias, said, true):"
PLACE = "def shared_cell(maps):"
HIDING = "def hiding_effect(model, inputs, target_class, place, elsewhere):"
TABLE = "from collections import Counter\n\nimport pandas as pd\n\ndef kinds_table(train, test):"
ORDER = "from collections import Counter\n\ndef gallery_order(true, said, loss):"

LOSSES = "losses = nn.functional.cross_entropy(logits, labels, reduction='none')\n"
CHOSEN = "torch.arange(len(labels)), labels"
SAID = "sure, said = logits.softmax(1).max(1)\n"
UNITS = "units = maps / maps.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None]\n"
CELL = "place = int(mean.argmax())\nreturn place // mean.shape[1], place % mean.shape[1]"


def top(losses: str, back: str = "return losses.topk(k)") -> str:
    """An answer to `top_losses` with these losses."""
    return f"losses = {losses}\n{back}"


def cell(mean: str, back: str = CELL) -> str:
    """An answer to `shared_cell` with this mean."""
    return f"{UNITS}mean = {mean}\n{back}"


def hiding(
    *,
    p: str = "model(pictures).softmax(dim=1)[:, target_class].mean()",
    mean: str = "inputs.mean(dim=(2, 3), keepdim=True)",
    spot: str = "top:bottom, left:right",
    box: str = "top, left, bottom, right",
    start: str = "pictures = inputs.clone()",
    quiet: str = "torch.no_grad()",
    numbers: str = "before = p(inputs)\nhere, there = before - p(hide(place)), before - p(hide(elsewhere))",
    back: str = "return float(here), float(there), float(here - there)",
) -> str:
    """The solution with one part written in another way."""
    return f"""
def p(pictures):
    with {quiet}:
        return {p}

def hide(spot):
    {box} = spot
    {start}
    pictures[:, :, {spot}] = {mean}
    return pictures

{numbers}
{back}
"""


def table(
    *,
    share: str = "pairs[name, kind] / max(classes[name], 1)",
    rate: str = "answers.count(False) / len(answers)",
    key: str = "name, kind",
    of: str = "{(name, kind) for name, kind, _ in test}",
    entry: str = "",
    back: str = "return table",
) -> str:
    """The solution with one part written in another way."""
    return f"""
pairs, classes = Counter(train), Counter(name for name, _ in train)
kinds = Counter(kind for _, kind in train)
table = {{}}
for name, kind in {of}:
    answers = [right for one, other, right in test if (one, other) == (name, kind)]
    table[{key}] = {entry or f"{share}, {rate}"}
{back}
"""


def order(
    *,
    rows: str = "loss.argsort(descending=True).tolist()",
    kind: str = "true[row].item(), said[row].item()",
    wrong: str = "true[row] != said[row]",
    key: str = "lambda each: each[0]",
    back: str = "return [row for _, row in numbered]",
) -> str:
    """The solution with one part written in another way."""
    return f"""
met, numbered = Counter(), []
for row in {rows}:
    kind = {kind}
    if {wrong}:
        numbered.append((met[kind], row))
        met[kind] += 1
numbered.sort(key={key})
{back}
"""


BANK: dict[str, Entry] = {
    "mistakes.top_losses": Entry(
        right=body(
            TOP,
            logsumexp=top("logits.logsumexp(1) - logits.gather(1, labels[:, None])[:, 0]"),
            cross_entropy=f"{LOSSES}losses, rows = losses.sort(descending=True)\nreturn losses[:k], rows[:k]",
            one_after_the_other="""
losses = [float(nn.functional.cross_entropy(row, label)) for row, label in zip(logits, labels)]
rows = sorted(range(len(losses)), key=lambda row: losses[row], reverse=True)[:k]
return [losses[row] for row in rows], rows
""",
            nll=top("nn.functional.nll_loss(logits.log_softmax(1), labels, reduction='none')"),
            largest_out_first="""
moved = logits - logits.max(dim=1, keepdim=True).values
losses = moved.exp().sum(1).log() - moved[torch.arange(len(moved)), labels]
rows = losses.argsort(descending=True)[:k]
return [losses[rows], rows]
""",
            arrays=f"{LOSSES}losses = losses.numpy()\nrows = losses.argsort()[::-1][:k]\nreturn losses[rows], rows",
        ),
        wrong=wrong_body(
            TOP,
            naive=(top(f"-logits.softmax(1)[{CHOSEN}].log()"), "large", "logarithm of 0"),
            by_hand=(
                top(f"-(logits.exp() / logits.exp().sum(1, keepdim=True))[{CHOSEN}].log()"),
                "large",
                "exp() of a large number",
            ),
            a_small_number=(top(f"-(logits.softmax(1)[{CHOSEN}] + 1e-8).log()"), "large", "cuts large losses off"),
            clamped=(top(f"-logits.softmax(1)[{CHOSEN}].clamp(min=1e-12).log()"), "large", "cuts large losses off"),
            probabilities=(top(f"logits.softmax(1)[{CHOSEN}]"), "losses", "take minus their logarithm"),
            one_minus=(top(f"1 - logits.softmax(1)[{CHOSEN}]"), "losses", "1 minus the probability"),
            no_minus=(top(f"logits.log_softmax(1)[{CHOSEN}]"), "losses", "a loss is minus that"),
            raw=(top(f"-logits[{CHOSEN}]"), "losses", "minus the logits of the true class"),
            of_the_answer=(top("-logits.log_softmax(1).max(1).values"), "losses", "the loss of what was said"),
            base_two=(top(f"-logits.log_softmax(1)[{CHOSEN}] / torch.tensor(2.0).log()"), "losses", "base 2"),
            over_the_pictures=(top(f"-logits.log_softmax(0)[{CHOSEN}]"), "losses", "over the pictures"),
            softmax_twice=(
                top("nn.functional.cross_entropy(logits.softmax(1), labels, reduction='none')"),
                "losses",
                "softmax was taken twice",
            ),
            averaged=(
                "loss = nn.functional.cross_entropy(logits, labels)\nreturn loss.expand(k), torch.arange(k)",
                "losses",
                "reduction='none'",
            ),
            averaged_and_sorted=(
                "return nn.functional.cross_entropy(logits, labels).topk(k)",
                "",
                "",
            ),
            the_gap=(top(f"logits.max(1).values - logits[{CHOSEN}]"), "losses", "the others count too"),
            smallest=(f"{LOSSES}return losses.topk(k, largest=False)", "order", "smallest come first"),
            unsorted=(f"{LOSSES}return losses[:k], torch.arange(k)", "order", "these are the first rows"),
            turned=(
                f"{LOSSES}losses, rows = losses.topk(k)\nreturn losses.flip(0), rows.flip(0)",
                "order",
                "the largest comes last",
            ),
            by_confidence=(
                f"{LOSSES}rows = logits.softmax(1).max(1).values.argsort(descending=True)[:k]\nreturn losses[rows], rows",
                "order",
                "by how sure the network was",
            ),
            mistakes_only=(
                f"{LOSSES}losses = losses * (logits.argmax(1) != labels)\nreturn losses.topk(k)",
                "losses",
                "",
            ),
            ranks=(
                f"{LOSSES}rows = losses.argsort(descending=True).argsort()[:k]\nreturn losses[rows], rows",
                "order",
                "argsort() once",
            ),
            from_one=(f"{LOSSES}losses, rows = losses.topk(k)\nreturn losses, rows + 1", "order", ""),
            losses_alone=(f"{LOSSES}return losses.topk(k).values", "form", "only one of the two"),
            rows_alone=(f"{LOSSES}return losses.argsort(descending=True)[:k]", "form", "only one of the two"),
            rows_first=(f"{LOSSES}losses, rows = losses.topk(k)\nreturn rows, losses", "form", "the losses come first"),
            all_of_them=(f"{LOSSES}return losses.sort(descending=True)", "form", "`k` largest only"),
            pairs=(
                f"{LOSSES}losses, rows = losses.topk(k)\nreturn [(a, b) for a, b in zip(losses.tolist(), rows.tolist())]",
                "form",
                "a pair for each picture",
            ),
            a_dict=(
                f"{LOSSES}losses, rows = losses.topk(k)\nreturn {{'losses': losses, 'rows': rows}}",
                "form",
                "no dictionary",
            ),
            forgot_return=(f"{LOSSES}losses.topk(k)", "", "return at the end"),
            in_place=(
                f"logits -= logits.max(1, keepdim=True).values\n{LOSSES}return losses.topk(k)",
                "kept",
                "was changed by an operation in place",
            ),
        ),
        equivalent={},
    ),
    "mistakes.sure_and_wrong": Entry(
        right=body(
            SURE,
            mask=f"{SAID}order = sure.argsort(descending=True)\nreturn order[(said != labels)[order]].tolist()",
            sorted_rows=f"{SAID}wrong = (said != labels).nonzero().flatten().tolist()\n"
            "return sorted(wrong, key=lambda row: -sure[row].item())",
            pairs=f"""
{SAID}pairs = [(float(p), row) for row, (p, s, t) in enumerate(zip(sure, said, labels)) if s != t]
return [row for _, row in sorted(pairs, reverse=True)]
""",
            places=f"{SAID}rows = torch.where(said != labels)[0]\nreturn rows[sure[rows].argsort(descending=True)]",
            moved=f"""
{SAID}sure = torch.where(said == labels, -1.0, sure)
return sure.argsort(descending=True)[: int((said != labels).sum())]
""",
            logarithms="sure, said = logits.log_softmax(-1).max(-1)\nwrong = torch.where(said != labels)[0]\n"
            "return [row.item() for row in wrong[(-sure[wrong]).argsort()]]",
        ),
        wrong=wrong_body(
            SURE,
            right_ones_too=(f"{SAID}return sure.argsort(descending=True).tolist()", "chosen", "leave them out"),
            the_right_ones=(
                f"{SAID}order = sure.argsort(descending=True)\nreturn order[(said == labels)[order]].tolist()",
                "chosen",
                "these are the right answers",
            ),
            least_sure=(
                f"{SAID}order = sure.argsort()\nreturn order[(said != labels)[order]].tolist()",
                "order",
                "the least sure comes first",
            ),
            by_loss=(
                "said = logits.argmax(1)\nloss = nn.functional.cross_entropy(logits, labels, reduction='none')\n"
                "order = loss.argsort(descending=True)\nreturn order[(said != labels)[order]].tolist()",
                "order",
                "ordered by the loss",
            ),
            by_logit=(
                "sure, said = logits.max(1)\norder = sure.argsort(descending=True)\n"
                "return order[(said != labels)[order]].tolist()",
                "order",
                "by the largest logit",
            ),
            by_margin=(
                f"{SAID}two = logits.softmax(1).topk(2).values\norder = (two[:, 0] - two[:, 1]).argsort(descending=True)\n"
                "return order[(said != labels)[order]].tolist()",
                "order",
                "ahead of the next class",
            ),
            by_logit_margin=(
                f"{SAID}two = logits.topk(2).values\norder = (two[:, 0] - two[:, 1]).argsort(descending=True)\n"
                "return order[(said != labels)[order]].tolist()",
                "order",
                "",
            ),
            of_the_truth=(
                f"{SAID}p = logits.softmax(1)[{CHOSEN}]\norder = p.argsort(descending=True)\n"
                "return order[(said != labels)[order]].tolist()",
                "order",
                "probability of the true class",
            ),
            over_the_pictures=(
                "said = logits.argmax(1)\nsure = logits.softmax(0).gather(1, said[:, None])[:, 0]\n"
                "order = sure.argsort(descending=True)\nreturn order[(said != labels)[order]].tolist()",
                "order",
                "",
            ),
            as_they_come=(f"{SAID}return (said != labels).nonzero().flatten().tolist()", "order", "order of the data"),
            places_among_mistakes=(
                f"{SAID}wrong = said != labels\nreturn sure[wrong].argsort(descending=True).tolist()",
                "chosen",
                "",
            ),
            one_per_probability=(
                f"{SAID}found = {{float(p): row for row, p in enumerate(sure) if said[row] != labels[row]}}\n"
                "return [found[p] for p in sorted(found, reverse=True)]",
                "chosen",
                "a dictionary keeps one per key",
            ),
            a_mask=(f"{SAID}return said != labels", "form", "this is a mask"),
            probabilities=(
                f"{SAID}return sure[said != labels].sort(descending=True).values",
                "form",
                "not what they were sorted by",
            ),
            with_probabilities=(
                f"{SAID}return sorted([(row, float(sure[row])) for row in range(len(labels)) if said[row] != labels[row]])",
                "form",
                "without what they were sorted by",
            ),
            nonzero=(
                f"{SAID}rows = (said != labels).nonzero()\nreturn rows[sure[rows[:, 0]].argsort(descending=True)]",
                "form",
                "nonzero() gives them so",
            ),
            squeezed=(
                f"{SAID}sure = torch.where(said == labels, -1.0, sure)\n"
                "return sure.argsort(descending=True)[: int((said != labels).sum())].squeeze()",
                "form",
                "also of a single row",
            ),
            a_set=(
                f"{SAID}return {{row for row in range(len(labels)) if said[row] != labels[row]}}",
                "form",
                "a set has no order",
            ),
            none_for_none=(
                f"{SAID}order = sure.argsort(descending=True)\nrows = order[(said != labels)[order]].tolist()\n"
                "return rows or None",
                "none",
                "and not None",
            ),
            first_only=(
                f"{SAID}sure[said == labels] = -1\nreturn [int(sure.argmax())]",
                "chosen",
                "only the first one",
            ),
            from_one=(
                f"{SAID}order = sure.argsort(descending=True)\nreturn [row + 1 for row in order.tolist() if said[row] != labels[row]]",
                "chosen",
                "",
            ),
            forgot_return=(f"{SAID}sure.argsort(descending=True)", "", "return at the end"),
            in_place=(
                "logits -= logits.logsumexp(1, keepdim=True)\nsure, said = logits.max(1)\n"
                "order = sure.argsort(descending=True)\nreturn order[(said != labels)[order]].tolist()",
                "kept",
                "was changed by an operation in place",
            ),
        ),
        equivalent={
            "sure, said = logits.softmax(dim=1).max(dim=1) → sure, said = logits.log_softmax(dim=1).max(dim=1)": "the logarithm keeps the order",
            "return order[(said != labels)[order]].tolist() → return order[(said != labels)[order]]": "a tensor of rows is a list of rows",
        },
    ),
    "mistakes.difference": Entry(
        right=body(
            DIFFERENCE,
            einsum="""
gaps = torch.einsum("bc,bchw->bhw", weight[said] - weight[true], activation)
return (gaps + (bias[said] - bias[true])[:, None, None]) / (gaps.shape[1] * gaps.shape[2])
""",
            two_maps="""
def cam(which):
    return (weight[which][:, :, None, None] * activation).sum(1) + bias[which].view(-1, 1, 1)
return (cam(said) - cam(true)) / activation[0, 0].numel()
""",
            all_classes="""
maps = torch.einsum("kc,bchw->bkhw", weight, activation) + bias[:, None, None]
rows = torch.arange(len(said))
return (maps[rows, said] - maps[rows, true]) / maps[0, 0].numel()
""",
            loop="""
cells = activation.shape[2] * activation.shape[3]
maps = []
for picture, one, other in zip(activation, said, true):
    gap = torch.tensordot(weight[one] - weight[other], picture, dims=1)
    maps.append(gap / cells + (bias[one] - bias[other]) / cells)
return torch.stack(maps)
""",
            matmul="""
flat = activation.flatten(2)
gaps = ((weight[said] - weight[true])[:, None] @ flat)[:, 0] + (bias[said] - bias[true])[:, None]
return (gaps / flat.shape[2]).view(len(flat), *activation.shape[2:])
""",
        ),
        wrong=wrong_body(
            DIFFERENCE,
            no_mean=(
                'gaps = torch.einsum("bc,bchw->bhw", weight[said] - weight[true], activation)\n'
                "return gaps + (bias[said] - bias[true])[:, None, None]",
                "values",
                "not divided by their number",
            ),
            no_bias=(
                'gaps = torch.einsum("bc,bchw->bhw", weight[said] - weight[true], activation)\nreturn gaps / gaps[0].numel()',
                "sum",
                "the difference of the biases is missing",
            ),
            neither=(
                'return torch.einsum("bc,bchw->bhw", weight[said] - weight[true], activation)',
                "sum",
                "the biases is missing, and the cells",
            ),
            full_bias=(
                'gaps = torch.einsum("bc,bchw->bhw", weight[said] - weight[true], activation)\n'
                "return gaps / gaps[0].numel() + (bias[said] - bias[true])[:, None, None]",
                "sum",
                "in full in every cell",
            ),
            bias_in_a_corner=(
                'gaps = torch.einsum("bc,bchw->bhw", weight[said] - weight[true], activation) / activation[0, 0].numel()\n'
                "gaps[:, 0, 0] += bias[said] - bias[true]\nreturn gaps",
                "values",
                "in the first cell alone",
            ),
            true_minus_said=(
                'gaps = torch.einsum("bc,bchw->bhw", weight[true] - weight[said], activation)\n'
                "return (gaps + (bias[true] - bias[said])[:, None, None]) / gaps[0].numel()",
                "values",
                "what was said comes first",
            ),
            said_alone=(
                'maps = torch.einsum("bc,bchw->bhw", weight[said], activation)\n'
                "return (maps + bias[said][:, None, None]) / maps[0].numel()",
                "values",
                "what was said alone",
            ),
            added=(
                'maps = torch.einsum("bc,bchw->bhw", weight[said] + weight[true], activation)\n'
                "return (maps + (bias[said] + bias[true])[:, None, None]) / maps[0].numel()",
                "values",
                "added, not subtracted",
            ),
            first_classes=(
                'maps = torch.einsum("c,bchw->bhw", weight[said[0]] - weight[true[0]], activation)\n'
                "return (maps + bias[said[0]] - bias[true[0]]) / maps[0].numel()",
                "values",
                "the classes of the first one",
            ),
            bias_subtracted=(
                'maps = torch.einsum("bc,bchw->bhw", weight[said] - weight[true], activation)\n'
                "return (maps - (bias[said] - bias[true])[:, None, None]) / maps[0].numel()",
                "values",
                "biases was subtracted",
            ),
            relu_each=(
                "def cam(which):\n"
                '    return (torch.einsum("bc,bchw->bhw", weight[which], activation) + bias[which][:, None, None]).relu()\n'
                "return (cam(said) - cam(true)) / activation[0, 0].numel()",
                "values",
                "ReLU was applied to each map",
            ),
            relu_activation=(
                'maps = torch.einsum("bc,bchw->bhw", weight[said] - weight[true], activation.relu())\n'
                "return (maps + (bias[said] - bias[true])[:, None, None]) / maps[0].numel()",
                "values",
                "ReLU was applied to the activation",
            ),
            by_channels=(
                'maps = torch.einsum("bc,bchw->bhw", weight[said] - weight[true], activation)\n'
                "return (maps + (bias[said] - bias[true])[:, None, None]) / activation.shape[1]",
                "values",
                "number of channels",
            ),
            columns_of_weight=(
                'maps = torch.einsum("cb,bchw->bhw", weight[:, said] - weight[:, true], activation)\n'
                "return (maps + (bias[said] - bias[true])[:, None, None]) / maps[0].numel()",
                "",
                "",
            ),
            every_picture=(
                'maps = torch.einsum("ac,bchw->abhw", weight[said] - weight[true], activation)\n'
                "return (maps + (bias[said] - bias[true])[:, None, None, None]) / maps[0, 0].numel()",
                "shape",
                "met every picture's weights",
            ),
            all_classes=(
                'return torch.einsum("kc,bchw->bkhw", weight, activation)',
                "shape",
                "one map per class",
            ),
            both_maps=(
                'return torch.stack([torch.einsum("bc,bchw->bhw", weight[each], activation) for each in (said, true)], 1)',
                "shape",
                "two maps per picture",
            ),
            channels_left=(
                "return (weight[said] - weight[true])[:, :, None, None] * activation",
                "shape",
                "channels are still there",
            ),
            one_number=(
                "logits = activation.mean((2, 3)) @ weight.T + bias\nrows = torch.arange(len(said))\n"
                "return logits[rows, said] - logits[rows, true]",
                "shape",
                "one number per picture",
            ),
            spread_evenly=(
                "logits = activation.mean((2, 3)) @ weight.T + bias\nrows = torch.arange(len(said))\n"
                "gap = (logits[rows, said] - logits[rows, true]) / activation[0, 0].numel()\n"
                "return gap[:, None, None].expand(-1, *activation.shape[2:])",
                "values",
                "mean activation in every cell",
            ),
            bias_on_the_wrong_axis=(
                'maps = torch.einsum("bc,bchw->bhw", weight[said] - weight[true], activation)\n'
                "return (maps + bias[said] - bias[true]) / maps[0].numel()",
                "",
                "",
            ),
            forgot_return=("maps = weight[said] - weight[true]", "", "return at the end"),
            in_place=(
                "activation *= (weight[said] - weight[true])[:, :, None, None]\nmaps = activation.sum(1)\n"
                "return (maps + (bias[said] - bias[true])[:, None, None]) / maps[0].numel()",
                "kept",
                "was changed by an operation in place",
            ),
        ),
        equivalent={
            "return (maps + biases[:, None, None]) / maps[0].numel() → return (maps + biases[:, None, None]) / maps[-1].numel()": "all maps are of one size",
        },
    ),
    "mistakes.place": Entry(
        right=body(
            PLACE,
            norm=cell("units.mean(0)"),
            unravelled=f"{UNITS}mean = units.sum(0)\nreturn torch.unravel_index(mean.argmax(), mean.shape)",
            normalize="""
units = nn.functional.normalize(maps.flatten(1), dim=1)
place = int(units.mean(0).argmax())
return divmod(place, maps.shape[2])
""",
            loop="""
mean = torch.zeros(maps.shape[1:])
for each in maps:
    length = (each ** 2).sum() ** 0.5
    if length > 0:
        mean = mean + each / length
best = max((float(mean[r, c]), r, c) for r in range(mean.shape[0]) for c in range(mean.shape[1]))
return [best[1], best[2]]
""",
            array="""
import numpy as np
each = maps.numpy()
lengths = np.sqrt((each ** 2).sum((1, 2), keepdims=True))
mean = np.divide(each, lengths, out=np.zeros_like(each), where=lengths > 0).mean(0)
return np.unravel_index(mean.argmax(), mean.shape)
""",
            where=f"{UNITS}mean = units.mean(0)\nreturn (mean == mean.max()).nonzero()[0]",
        ),
        wrong=wrong_body(
            PLACE,
            raw=(f"mean = maps.mean(0)\n{CELL}", "cell", "not divided by their lengths"),
            by_the_largest=(f"mean = (maps / maps.amax((1, 2), keepdim=True)).mean(0)\n{CELL}", "cell", ""),
            by_magnitude=(f"mean = (maps / maps.abs().amax((1, 2), keepdim=True)).mean(0)\n{CELL}", "cell", ""),
            by_sum=(f"mean = (maps / maps.sum((1, 2), keepdim=True)).mean(0)\n{CELL}", "cell", ""),
            squared_length=(
                f"mean = (maps / maps.square().sum((1, 2), keepdim=True).clamp(min=1e-12)).mean(0)\n{CELL}",
                "cell",
                "",
            ),
            one_length=(f"mean = (maps / maps.norm()).mean(0)\n{CELL}", "cell", "not divided by their lengths"),
            over_the_pictures=(
                f"mean = (maps / maps.norm(dim=0, keepdim=True).clamp(min=1e-12)).mean(0)\n{CELL}",
                "cell",
                "",
            ),
            by_rows=(
                f"mean = (maps / maps.norm(dim=2, keepdim=True).clamp(min=1e-12)).mean(0)\n{CELL}",
                "cell",
                "",
            ),
            zero_by_zero=(
                f"units = maps / maps.flatten(1).norm(dim=1)[:, None, None]\nmean = units.mean(0)\n{CELL}",
                "zero",
                "0 / 0 is no number",
            ),
            magnitudes=(cell("units.abs().mean(0)"), "cell", ""),
            of_the_mean=(cell("units.mean(0).abs()"), "cell", ""),
            relu=(cell("units.relu().mean(0)"), "cell", ""),
            smallest=(cell("-units.mean(0)"), "cell", "smallest cell"),
            first_map=(cell("maps[0]"), "cell", ""),
            most_votes=(
                "places = maps.flatten(1).argmax(1).tolist()\nplace = max(places, key=places.count)\n"
                "return divmod(place, maps.shape[2])",
                "cell",
                "",
            ),
            largest_of_all=(cell("units.amax(0)"), "cell", ""),
            by_height=(cell("units.mean(0)", "return divmod(int(mean.argmax()), mean.shape[0])"), "cell", ""),
            swapped=(
                cell(
                    "units.mean(0)", "place = int(mean.argmax())\nreturn place % mean.shape[1], place // mean.shape[1]"
                ),
                "cell",
                "the row comes first",
            ),
            from_one=(
                cell(
                    "units.mean(0)",
                    "row, column = divmod(int(mean.argmax()), mean.shape[1])\nreturn row + 1, column + 1",
                ),
                "cell",
                "counted from 0",
            ),
            flat=(cell("units.mean(0)", "return mean.argmax()"), "form", "the flattened map"),
            per_axis=(
                cell("units.mean(0)", "return mean.max(0).values.argmax(), mean.max(1).values.argmax()"),
                "cell",
                "",
            ),
            each_map=(
                "return torch.stack([torch.stack(torch.unravel_index(each.argmax(), each.shape)) for each in maps])",
                "form",
                "",
            ),
            the_values=(cell("units.mean(0)", "return mean.max(), mean.mean()"), "form", "no whole numbers"),
            a_map=(cell("units.mean(0)", "return mean"), "form", "this is a map"),
            an_axis_left=(
                cell("units.mean(0)", "return (mean == mean.max()).nonzero()"),
                "form",
                "an axis is left over",
            ),
            forgot_return=(f"{UNITS}units.mean(0)", "", "return at the end"),
            in_place=(
                f"maps /= maps.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None]\nmean = maps.mean(0)\n{CELL}",
                "kept",
                "was changed by an operation in place",
            ),
        ),
        equivalent={
            "lengths = maps.flatten(1).norm(dim=1).clamp(min=1e-12) → lengths = maps.flatten(1).norm(dim=1).clamp(min=2e-12)": "any tiny number will do",
            "mean = (maps / lengths[:, None, None]).mean(dim=0) → mean = (maps / lengths[:, None, None]).sum(dim=0)": "the sum is largest where the mean is",
        },
    ),
    "mistakes.occlusion": Entry(
        right=body(
            HIDING,
            two_functions=hiding(),
            at_once="""
means = inputs.mean((2, 3), keepdim=True)
pictures = [inputs]
for top, left, bottom, right in (place, elsewhere):
    inside = torch.zeros(inputs.shape[2:], dtype=torch.bool)
    inside[top:bottom, left:right] = True
    pictures.append(torch.where(inside, means, inputs))
with torch.no_grad():
    p = model(torch.cat(pictures)).softmax(1)[:, target_class].view(3, -1).mean(1)
return p[0] - p[1], p[0] - p[2], p[2] - p[1]
""",
            one_picture_at_a_time="""
lost = [[], []]
for picture in inputs:
    for number, (top, left, bottom, right) in enumerate((place, elsewhere)):
        changed = picture.clone()
        for colour in range(3):
            changed[colour, top:bottom, left:right] = picture[colour].mean()
        with torch.inference_mode():
            before, after = model(torch.stack([picture, changed])).softmax(1)[:, target_class]
        lost[number].append(float(before - after))
here, there = (sum(each) / len(each) for each in lost)
return [here, there, here - there]
""",
            decorated="""
@torch.no_grad()
def p(pictures):
    return torch.softmax(model(pictures), dim=-1)[:, target_class]

def hide(top, left, bottom, right):
    changed = inputs.detach().clone()
    changed[..., top:bottom, left:right] = changed.mean((-2, -1))[..., None, None]
    return changed

here = (p(inputs) - p(hide(*place))).mean()
there = (p(inputs) - p(hide(*elsewhere))).mean()
return torch.stack([here, there, here - there])
""",
            in_evaluation_mode_again=f"""
training = model.training
model.eval()
try:
{chr(10).join("    " + line for line in hiding(back="pass").strip().splitlines())}
finally:
    model.train(training)
return here.item(), there.item(), (here - there).item()
""",
        ),
        wrong=wrong_body(
            HIDING,
            after=(hiding(numbers="here, there = p(hide(place)), p(hide(elsewhere))"), "here", "what is lost?"),
            turned=(
                hiding(
                    numbers="before = p(inputs)\nhere, there = p(hide(place)) - before, p(hide(elsewhere)) - before"
                ),
                "here",
                "before minus after",
            ),
            zeros=(hiding(mean="0"), "here", "filled with zeros"),
            one_mean=(
                hiding(mean="inputs.mean(dim=(1, 2, 3), keepdim=True)"),
                "here",
                "one mean was taken for all three",
            ),
            of_all_pictures=(hiding(mean="inputs.mean(dim=(0, 2, 3), keepdim=True)"), "here", "each has its own"),
            single_mean=(hiding(mean="inputs.mean()"), "here", "all pictures and colours"),
            of_the_place=(
                hiding(mean="inputs[:, :, top:bottom, left:right].mean(dim=(2, 3), keepdim=True)"),
                "here",
                "the mean of the place",
            ),
            rows_and_columns=(hiding(spot="left:right, top:bottom"), "here", "rows and columns"),
            as_size=(hiding(spot="top:top + bottom, left:left + right"), "here", "no height and width"),
            inclusive=(hiding(spot="top:bottom + 1, left:right + 1"), "here", "do not belong to it"),
            a_band=(hiding(spot="top:bottom, :"), "here", "the whole band"),
            logits=(hiding(p="model(pictures)[:, target_class].mean()"), "here", "these are logits"),
            sigmoid=(hiding(p="model(pictures).sigmoid()[:, target_class].mean()"), "here", "these are sigmoids"),
            logs=(hiding(p="model(pictures).log_softmax(1)[:, target_class].mean()"), "here", "logarithms"),
            over_the_pictures=(
                hiding(p="model(pictures).softmax(0)[:, target_class].mean()"),
                "here",
                "over the pictures",
            ),
            largest=(hiding(p="model(pictures).softmax(1).max(1).values.mean()"), "here", "whatever is largest"),
            first_class=(hiding(p="model(pictures).softmax(1)[:, 0].mean()"), "here", "class 0"),
            summed=(hiding(p="model(pictures).softmax(1)[:, target_class].sum()"), "here", "take the mean"),
            first_picture=(hiding(p="model(pictures).softmax(1)[0, target_class]"), "here", "only the first picture"),
            both_hidden=(
                hiding(
                    start="pictures = hiding_one",
                    numbers="hiding_one = inputs.clone()\nbefore = p(inputs)\n"
                    "here = before - p(hide(place))\nthere = before - p(hide(elsewhere))",
                ),
                "elsewhere",
                "still hidden",
            ),
            one_after_the_other=(
                hiding(
                    start="pictures = hiding_one",
                    numbers="hiding_one = inputs.clone()\nbefore = p(inputs)\nmiddle = p(hide(place))\n"
                    "here = before - middle\nthere = middle - p(hide(elsewhere))",
                ),
                "elsewhere",
                "compare with them as they are",
            ),
            effect_turned=(
                hiding(back="return float(here), float(there), float(there - here)"),
                "effect",
                "the place comes first",
            ),
            added=(
                hiding(back="return float(here), float(there), float(here + there)"),
                "effect",
                "the two were added",
            ),
            a_ratio=(hiding(back="return float(here), float(there), float(here / there)"), "effect", "subtract"),
            exchanged=(
                hiding(back="return float(there), float(here), float(there - here)"),
                "here",
                "have changed places",
            ),
            effect_alone=(hiding(back="return float(here - there)"), "form", "return three"),
            for_each_picture=(
                hiding(
                    p="model(pictures).softmax(dim=1)[:, target_class]",
                    back="return torch.stack([here, there, here - there])",
                ),
                "form",
                "for each picture",
            ),
            recorded=(
                hiding(quiet="torch.enable_grad()", back="return here.item(), there.item(), (here - there).item()"),
                "left",
                "torch.no_grad()",
            ),
            forgot_return=(hiding(back="here - there"), "", "return at the end"),
            in_place=(hiding(start="pictures = inputs"), "left", "inputs was changed"),
            training=(
                f"model.train()\n{hiding()}",
                "left",
                "evaluation mode before",
            ),
        ),
        equivalent={
            "return model(pictures).softmax(dim=1)[:, target_class].mean().item() → return model(pictures).softmax(dim=1)[:, target_class].mean()": "a tensor of one number is a number",
        },
    ),
    "mistakes.missing": Entry(
        right=body(
            TABLE,
            counters=table(),
            sets=table(
                share="0 if (name, kind) not in train else train.count((name, kind)) / len([one for one, _ in train if one == name])",
                rate="1 - sum(answers) / len(answers)",
            ),
            one_pass="""
learned, of_class, tested, wrong = {}, {}, {}, {}
for name, kind in train:
    learned[name, kind] = learned.get((name, kind), 0) + 1
    of_class[name] = of_class.get(name, 0) + 1
for name, kind, right in test:
    tested[name, kind] = tested.get((name, kind), 0) + 1
    wrong[name, kind] = wrong.get((name, kind), 0) + (not right)
return {
    pair: (learned.get(pair, 0) / of_class.get(pair[0], 1), wrong[pair] / tested[pair]) for pair in tested
}
""",
            pandas="""
rows = pd.DataFrame(test, columns=["name", "kind", "right"])
rates = 1 - rows.groupby(["name", "kind"])["right"].mean()
learned = pd.DataFrame(train, columns=["name", "kind"])
found = {}
for (name, kind), rate in rates.items():
    of_class = learned[learned["name"] == name]
    share = (of_class["kind"] == kind).mean() if len(of_class) else 0.0
    found[name, kind] = [float(share), float(rate)]
return found
""",
            tensors=table(
                entry="torch.tensor([pairs[name, kind] / max(classes[name], 1), answers.count(False) / len(answers)])"
            ),
        ),
        wrong=wrong_body(
            TABLE,
            of_all=(table(share="pairs[name, kind] / max(len(train), 1)"), "share", "share of all training pictures"),
            of_the_kind=(
                table(share="pairs[name, kind] / max(kinds[kind], 1)"),
                "share",
                "training pictures of the kind",
            ),
            counts=(table(share="pairs[name, kind]"), "share", "these are counts"),
            in_test=(
                table(share="len(answers) / len([one for one, _, _ in test if one == name])"),
                "share",
                "the share was taken in test",
            ),
            by_test=(
                table(share="pairs[name, kind] / len([one for one, _, _ in test if one == name])"),
                "share",
                "not in training",
            ),
            per_cent=(table(share="100 * pairs[name, kind] / max(classes[name], 1)"), "share", "per cent"),
            any_at_all=(table(share="float(pairs[name, kind] > 0)"), "share", "whether there is any"),
            divided_by_zero=(table(share="pairs[name, kind] / classes[name]"), "", "its share is then 0"),
            no_number=(
                table(share="pairs[name, kind] / classes[name] if classes[name] else float('nan')"),
                "zero",
                "0 of 0 is 0 here",
            ),
            none_for_none=(
                table(share="pairs[name, kind] / classes[name] if pairs[name, kind] else None"),
                "zero",
                "",
            ),
            one_for_unknown=(
                table(share="pairs[name, kind] / classes[name] if classes[name] else 1.0"),
                "zero",
                "",
            ),
            no_such_key=(
                "pairs, classes = dict(Counter(train)), Counter(name for name, _ in train)\n"
                "return {(name, kind): (pairs[name, kind] / classes[name], 0.0) for name, kind, _ in test}",
                "",
                "get(key, 0)",
            ),
            accuracy=(table(rate="answers.count(True) / len(answers)"), "rate", "the share that is right"),
            errors=(table(rate="answers.count(False)"), "rate", "counts of errors"),
            of_the_class=(
                table(rate="1 - sum(r for n, _, r in test if n == name) / sum(n == name for n, _, _ in test)"),
                "rate",
                "all kinds together",
            ),
            of_a_kind=(
                table(rate="1 - sum(r for _, k, r in test if k == kind) / sum(k == kind for _, k, _ in test)"),
                "rate",
                "all classes together",
            ),
            of_all_tests=(table(rate="answers.count(False) / len(test)"), "rate", "all pictures of the test set"),
            of_all_errors=(
                table(rate="answers.count(False) / max(sum(not right for *_, right in test), 1)"),
                "rate",
                "share of all errors",
            ),
            exchanged=(
                table(entry="answers.count(False) / len(answers), pairs[name, kind] / max(classes[name], 1)"),
                "share",
                "the share in training comes first",
            ),
            missing_only=(
                table(of="{(name, kind) for name, kind, _ in test} - set(train)"),
                "form",
                "every class and kind of test",
            ),
            known_only=(
                table(of="{(name, kind) for name, kind, _ in test} & set(train)"),
                "form",
                "never trained on is not there",
            ),
            everything=(
                table(
                    of="{(name, kind) for name, kind, _ in test} | set(train)",
                    rate="answers.count(False) / max(len(answers), 1)",
                ),
                "form",
                "go through test",
            ),
            kind_first=(table(key="kind, name"), "form", "the class comes first"),
            as_text=(table(key="f'{name} {kind}'"), "form", "not one text"),
            class_alone=(table(key="name"), "form", "a pair (class, kind)"),
            share_alone=(table(entry="pairs[name, kind] / max(classes[name], 1)"), "form", "two numbers"),
            a_list=(
                table(back="return [(*pair, *numbers) for pair, numbers in table.items()]"),
                "form",
                "a dictionary",
            ),
            nested=(
                "found = {}\nfor name, kind, _ in test:\n    found.setdefault(name, {})[kind] = (0, 0)\nreturn found",
                "form",
                "a pair (class, kind)",
            ),
            sorted_in_place=(f"train.sort()\n{table()}", "kept", "make a new one"),
            forgot_return=(table(back="table"), "", "return at the end"),
            popped=(
                table(back="while train:\n    train.pop()\nreturn table"),
                "kept",
                "make a new one",
            ),
        ),
        equivalent={},
    ),
    "mistakes.cannot_tell": quiz(
        "cannot_tell",
        "bce",
        {
            '"a"': "how much each cell adds",
            '"b"': "more than one option",
            '"bc"': "1 missing",
            '"ce"': "1 missing",
            '"d"': "difference of the two maps",
            '"abce"': "read what is said",
            '"abcde"': "read what is said",
        },
    ),
    "mistakes.panel": Entry(
        right=body(
            ORDER,
            counted=order(),
            queues="""
queues = {}
for row in loss.argsort(descending=True).tolist():
    if true[row] != said[row]:
        queues.setdefault((int(true[row]), int(said[row])), []).append(row)
rows = []
while any(queues.values()):
    turn = [queue.pop(0) for queue in queues.values() if queue]
    rows += sorted(turn, key=lambda row: -loss[row])
return rows
""",
            ranks="""
wrong = torch.where(true != said)[0]
kinds = true[wrong] * 1000 + said[wrong]
turn = ((kinds[:, None] == kinds) & (loss[wrong] > loss[wrong][:, None])).sum(1)
rows = wrong[loss[wrong].argsort(descending=True)]
turn = turn[loss[wrong].argsort(descending=True)]
return rows[turn.argsort(stable=True)]
""",
            two_keys="""
rows = [row for row in range(len(loss)) if true[row] != said[row]]
def turn(row):
    return sum(true[o] == true[row] and said[o] == said[row] and loss[o] > loss[row] for o in rows)
return sorted(rows, key=lambda row: (turn(row), -float(loss[row])))
""",
            lists="""
true, said, loss = true.tolist(), said.tolist(), loss.tolist()
left = sorted((row for row in range(len(loss)) if true[row] != said[row]), key=loss.__getitem__, reverse=True)
rows = []
while left:
    seen, later = set(), []
    for row in left:
        (later if (true[row], said[row]) in seen else rows).append(row)
        seen.add((true[row], said[row]))
    left = later
return tuple(rows)
""",
        ),
        wrong=wrong_body(
            ORDER,
            loss_alone=(order(key="lambda each: 0"), "turns", "by the loss alone"),
            one_way=(order(kind="frozenset((true[row].item(), said[row].item()))"), "turns", "count as one kind"),
            true_alone=(order(kind="true[row].item()"), "turns", "the true class alone"),
            said_alone=(order(kind="said[row].item()"), "turns", "what was said alone"),
            tensors_as_keys=(order(kind="true[row], said[row]"), "turns", "by the loss alone"),
            least_first=(order(rows="loss.argsort().tolist()"), "loss", "the smallest loss comes first"),
            not_sorted=(order(rows="range(len(loss))"), "loss", "the losses are not looked at"),
            kind_after_kind=(
                order(
                    kind="true[row].item(), said[row].item()",
                    key="lambda each: (true[each[1]].item(), said[each[1]].item())",
                ),
                "turns",
                "all of one kind come before",
            ),
            last_round_first=(order(key="lambda each: -each[0]"), "turns", ""),
            round_by_row=(order(key="None"), "loss", "rows come in the order of the data"),
            round_by_class=(
                order(key="lambda each: (each[0], true[each[1]].item(), said[each[1]].item())"),
                "loss",
                "ordered by their classes",
            ),
            first_of_each=(
                order(back="return [row for turn, row in numbered if turn == 0]"),
                "chosen",
                "only the worst",
            ),
            right_ones_too=(order(wrong="True"), "chosen", "right answers are there"),
            right_ones_only=(order(wrong="true[row] == said[row]"), "chosen", ""),
            with_turns=(order(back="return numbered"), "form", "without what they were sorted by"),
            losses=(order(back="return [float(loss[row]) for _, row in numbered]"), "form", "which rows they are"),
            by_kind=(
                "found = {}\nfor row in range(len(loss)):\n    found.setdefault((int(true[row]), int(said[row])), []).append(row)\n"
                "return found",
                "form",
                "the rows alone",
            ),
            nested=(
                "return [[row for row in range(len(loss)) if true[row] != said[row] and true[row] == c] for c in range(9)]",
                "form",
                "",
            ),
            a_mask=("return true != said", "form", "this is a mask"),
            as_they_come=("return (true != said).nonzero().flatten().tolist()", "loss", "in the order of the data"),
            from_one=(order(back="return [row + 1 for _, row in numbered]"), "chosen", ""),
            none_if_none=(order(back="return [row for _, row in numbered] or None"), "chosen", "and not None"),
            forgot_return=(order(back="numbered"), "", "return at the end"),
            in_place=(
                f"loss[true == said] = -1\n{order()}",
                "kept",
                "was changed by an operation in place",
            ),
        ),
        equivalent={
            "for row in loss.argsort(descending=True).tolist(): → for row in loss.argsort(descending=True):": "a list of tensors of one number is a list of numbers",
            "met[kind] += 1 → met[kind] += 2": "every second number is in the same order",
        },
    ),
}
