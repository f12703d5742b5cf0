"""Answers to the items of `cam`."""

from tests.course.bank import Entry
from tests.course.bank.common import body, quiz, wrong_body

FIND = "def cam_layer(model, inputs):"
LISTEN = """
names = []
modes = [m.training for m in model.modules()]
handles = []
for name, module in model.named_modules():
    if name:
        handles.append(module.register_forward_hook(lambda m, i, o, name=name: names.append((name, o))))
"""
SCORES = "def class_scores(activation, weight):"
BATCH = "def batch_scores(activation, weight):"
NAME = "def class_name(dls, index):"
PICTURE = "def picture_again(dls, inputs):"
LOGITS = "def logits_from_maps(maps, bias):"
HEAD = "def cam_head(channels, classes):"

BANK: dict[str, Entry] = {
    "cam.q2a": quiz(
        "cam_layer_choice",
        "b",
        {
            '"a"': "no weight joins it",
            '"c"': "no positions",
            '"d"': "averages the positions away",
            '"ab"': "read what is said",
        },
    ),
    "cam.q2b": Entry(
        right=body(
            FIND,
            listening_everywhere=LISTEN
            + """
model.eval()
with torch.no_grad():
    model(inputs)
[setattr(m, "training", mode) for m, mode in zip(model.modules(), modes)]
for handle in handles:
    handle.remove()
return [name for name, o in names if o.dim() == 4 and o.shape[-2] * o.shape[-1] > 1][-1]
""",
            with_our_hooks="""
named = {name: module for name, module in model.named_modules() if name}
order = []
handles = [m.register_forward_pre_hook(lambda m, i: order.append(m)) for m in named.values()]
training = {m: m.training for m in model.modules()}
model.eval()
with torch.no_grad(), cw.Hooks(list(named.values())) as hooks:
    model(inputs)
    stored = dict(zip(named, hooks.stored, strict=True))
for m, mode in training.items():
    m.training = mode
for handle in handles:
    handle.remove()
names = {id(m): name for name, m in named.items()}
maps = [names[id(m)] for m in order if not list(m.children()) and stored[names[id(m)]].ndim == 4 and stored[names[id(m)]][0, 0].numel() > 1]
return maps[-1]
""",
            before_the_pooling="""
found = {}
leaves = [(n, m) for n, m in model.named_modules() if n and not list(m.children())]
handles = [m.register_forward_hook(lambda m, i, o, n=n: found.__setitem__(n, o.shape)) for n, m in leaves]
modes = [m for m in model.modules() if m.training]
try:
    with torch.inference_mode():
        model.eval()(inputs)
finally:
    for m in modes:
        m.training = True
    [handle.remove() for handle in handles]
last = None
for name, shape in found.items():
    if len(shape) == 4 and shape[2:] != (1, 1):
        last = name
return last
""",
            on_a_copy="""
import copy
twin = copy.deepcopy(model).eval()
seen = []
for name, module in twin.named_modules():
    if name:
        module.register_forward_hook(lambda m, i, o, name=name: seen.append(name) if o.ndim > 3 and o[0, 0].numel() > 1 else None)
with torch.no_grad():
    twin(inputs)
return seen[-1]
""",
            the_outermost=LISTEN
            + """
model.eval()
model(inputs)
[setattr(m, "training", mode) for m, mode in zip(model.modules(), modes)]
for handle in handles:
    handle.remove()
maps = [(name, o) for name, o in names if o.ndim == 4 and o.shape[2:].numel() > 1]
last = maps[-1][1]
return next(name for name, o in maps if o.shape == last.shape and torch.equal(o, last))
""",
        ),
        wrong=wrong_body(
            FIND,
            the_module=("return list(model.children())[-1]", "name", "not the module"),
            a_guess=('return "0.8"', "name", "dotted name"),
            last_part_of_the_name=(
                LISTEN
                + """
model.eval()
with torch.no_grad():
    model(inputs)
[setattr(m, "training", mode) for m, mode in zip(model.modules(), modes)]
for handle in handles:
    handle.remove()
return [name for name, o in names if o.ndim == 4 and o.shape[2] * o.shape[3] > 1][-1].split(".")[-1]
""",
                "name",
                "only the last part of a name",
            ),
            the_whole_model=('return ""', "name", "the empty text is the whole model"),
            last_by_name=("return [n for n, m in model.named_modules() if n][-1]", "layer", "no positions left"),
            first_convolution=(
                "return next(n for n, m in model.named_modules() if isinstance(m, nn.Conv2d))",
                "layer",
                "later layers have one too",
            ),
            last_linear=(
                "return [n for n, m in model.named_modules() if isinstance(m, nn.Linear)][-1]",
                "layer",
                "no positions left",
            ),
            the_pooling=(
                "return next(n for n, m in model.named_modules() if isinstance(m, nn.AdaptiveAvgPool2d))",
                "layer",
                "no positions left",
            ),
            hooks_left=(
                LISTEN
                + """
model.eval()
with torch.no_grad():
    model(inputs)
[setattr(m, "training", mode) for m, mode in zip(model.modules(), modes)]
return [name for name, o in names if o.ndim == 4 and o.shape[2] * o.shape[3] > 1][-1]
""",
                "kept",
                "a hook is still there",
            ),
            mode_lost=(
                LISTEN
                + """
model.eval()
with torch.no_grad():
    model(inputs)
for handle in handles:
    handle.remove()
return [name for name, o in names if o.ndim == 4 and o.shape[2] * o.shape[3] > 1][-1]
""",
                "kept",
                "training mode before",
            ),
            run_in_training_mode=(
                LISTEN
                + """
with torch.no_grad():
    model(inputs)
for handle in handles:
    handle.remove()
return [name for name, o in names if o.ndim == 4 and o.shape[2] * o.shape[3] > 1][-1]
""",
                "mode",
                "call model.eval() before the run",
            ),
            forgot_return=("[n for n, m in model.named_modules()][-1]", "", "return at the end"),
        ),
        equivalent={
            "with torch.no_grad(): ⏎ model(inputs) → model(inputs)": "gradients are recorded and thrown away",
            "with torch.no_grad(): → with torch.enable_grad():": "gradients are recorded and thrown away",
        },
    ),
    "cam.q7a": Entry(
        right=body(
            SCORES,
            einsum='return torch.einsum("ck,kij->cij", weight, activation)',
            broadcast="return (weight[:, :, None, None] * activation[None]).sum(dim=1)",
            matmul="return (weight @ activation.flatten(1)).view(len(weight), *activation.shape[1:])",
            tensordot="return torch.tensordot(weight, activation, dims=1)",
            loop="return torch.stack([sum(w * a for w, a in zip(row, activation)) for row in weight])",
            convolution="return nn.functional.conv2d(activation[None], weight[:, :, None, None])[0]",
            double="return torch.einsum('ck,kij->cij', weight.double(), activation.double())",
        ),
        wrong=wrong_body(
            SCORES,
            transposed=('return torch.einsum("ck,kij->cji", weight, activation)', "shape", "height and width"),
            mean_over_channels=(
                'return torch.einsum("ck,kij->cij", weight, activation) / activation.shape[0]',
                "values",
                "mean over channels",
            ),
            relu=('return torch.einsum("ck,kij->cij", weight, activation).relu()', "values", "ReLU"),
            first_class=(
                'return torch.einsum("k,kij->ij", weight[0], activation)[None].expand(len(weight), -1, -1)',
                "values",
                "all classes have the first one's map",
            ),
            absolute_weight=(
                'return torch.einsum("ck,kij->cij", weight.abs(), activation)',
                "values",
                "absolute weight",
            ),
            a_channel_short=(
                'return torch.einsum("ck,kij->cij", weight[:, :-1], activation[:-1])',
                "values",
                "one channel is missing at the end",
            ),
            pooled=('return torch.einsum("ck,kij->c", weight, activation)', "shape", "positions are gone"),
            not_summed=("return weight[0][:, None, None] * activation", "shape", "sum over channels"),
            scaled=(
                'maps = torch.einsum("ck,kij->cij", weight, activation)\nreturn maps / maps.abs().max()',
                "values",
                "no longer comparable",
            ),
            softmax=(
                'return torch.einsum("ck,kij->cij", weight, activation).softmax(0)',
                "values",
                "probabilities over the classes",
            ),
            our_activation=(
                'return torch.einsum("ck,kij->cij", learn.model[1][-1].weight, hook_activation)',
                "",
                "is not defined",
            ),
            seven_by_seven=(
                'return torch.einsum("ck,kij->cij", weight, activation).reshape(2, 7, 7)',
                "",
                "RuntimeError",
            ),
            in_place=(
                "activation.mul_(2)\nreturn torch.einsum('ck,kij->cij', weight, activation) / 2",
                "kept",
                "operation in place",
            ),
            batch_letters=('return torch.einsum("ck,bkij->bcij", weight, activation)', "", "letters of einsum"),
        ),
    ),
    "cam.q7b": Entry(
        right=body(
            BATCH,
            einsum='return torch.einsum("ck,bkij->bcij", weight, activation)',
            dots='return torch.einsum("ck,...kij->...cij", weight, activation)',
            broadcast="return (weight[None, :, :, None, None] * activation[:, None]).sum(dim=2)",
            one_by_one="return torch.stack([class_scores(each, weight) for each in activation])",
            matmul="return (weight @ activation.flatten(2)).unflatten(2, activation.shape[2:])",
            convolution="return nn.functional.conv2d(activation, weight[..., None, None])",
        ),
        wrong=wrong_body(
            BATCH,
            classes_first=('return torch.einsum("ck,bkij->cbij", weight, activation)', "shape", "pictures come first"),
            first_picture=(
                'return torch.einsum("ck,kij->cij", weight, activation[0]).expand(len(activation), -1, -1, -1)',
                "values",
                "all pictures have the first one's map",
            ),
            one_picture=('return torch.einsum("ck,kij->cij", weight, activation[0])', "shape", "axis is missing"),
            batch_lost=('return torch.einsum("ck,bkij->cij", weight, activation)', "shape", "axis is missing"),
            transposed=('return torch.einsum("ck,bkij->bcji", weight, activation)', "shape", "height and width"),
            pooled=('return torch.einsum("ck,bkij->bc", weight, activation)', "shape", "positions are gone"),
            relu=('return torch.einsum("ck,bkij->bcij", weight, activation).relu()', "values", "ReLU"),
            probabilities=(
                'return torch.einsum("ck,bkij->bcij", weight, activation).softmax(1)',
                "values",
                "probabilities",
            ),
            classes_lost=('return torch.einsum("ck,bkij->bij", weight, activation)', "shape", "classes are gone"),
            without_batch=('return torch.einsum("ck,kij->cij", weight, activation)', "", "letters of einsum"),
            averaged_first=(
                'pooled = torch.einsum("ck,bk->bc", weight, activation.mean((2, 3)))\n'
                "return pooled[:, :, None, None].expand(-1, -1, *activation.shape[2:])",
                "values",
                "averaged first",
            ),
        ),
    ),
    "cam.q8": Entry(
        right=body(
            NAME,
            by_number="return dls.vocab[int(index)]",
            as_it_is="return dls.vocab[index]",
            through_a_list="return list(dls.vocab)[int(index)]",
            through_a_dict="return dict(enumerate(dls.vocab))[int(index)]",
            by_category="return next(name for place, name in enumerate(dls.vocab) if place == index)",
            as_words="return str(dls.vocab[index])",
        ),
        wrong=wrong_body(
            NAME,
            the_index=("return index", "name", "index again"),
            written_down=('return ["dog", "cat"][int(index) % 2]', "name", "written into the function"),
            bools=("return bool(index)", "name", "another dls"),
            our_dls=("return learn.dls.vocab[int(index) % 2]", "name", "another dls, or written into the function"),
            from_one=("return dls.vocab[int(index) - 1]", "name", "counted from 0"),
            backwards=("return list(dls.vocab)[::-1][int(index)]", "name", "order of dls.vocab"),
            by_alphabet=("return sorted(map(str, dls.vocab), reverse=True)[int(index)]", "name", "order of dls.vocab"),
            whole_vocab=("return dls.vocab", "name", "return one name"),
            no_such_thing=("return dls.classes[int(index)]", "", "dir(...) or the Tab key"),
            forgot_return=("dls.vocab[int(index)]", "", "return at the end"),
        ),
    ),
    "cam.q9": Entry(
        right=body(
            PICTURE,
            train="return dls.train.decode((inputs,))[0][0]",
            valid="return dls.valid.decode((inputs,))[0][0]",
            by_the_pipeline="return dls.train.after_batch.decode((inputs,))[0][0]",
            picture_first="return dls.train.decode((inputs[:1],))[0].squeeze(0)",
            by_hand="""
normalize = dls.train.after_batch.fs[-1]
return ((inputs * normalize.std + normalize.mean) * 255).clamp(0, 255)[0]
""",
            as_float="return dls.train.decode((inputs,))[0][0].float()",
        ),
        wrong=wrong_body(
            PICTURE,
            inputs_themselves=("return inputs[0]", "values", "inputs themselves"),
            whole_batch=("return dls.train.decode((inputs,))[0]", "shape", "whole batch"),
            the_tuple=("return dls.train.decode((inputs,))", "shape", "take its first element"),
            zero_to_one=("return dls.train.decode((inputs,))[0][0] / 255", "values", "0 to 1"),
            colours_last=("return dls.train.decode((inputs,))[0][0].permute(1, 2, 0)", "shape", "colours come first"),
            second=("return dls.train.decode((inputs,))[0][1]", "values", "second picture"),
            imagenet=(
                "mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]\nstd = torch.tensor([0.229, 0.224, 0.225])[:, None, None]\n"
                "return (inputs[0] * std + mean) * 255",
                "values",
                "not those of this dls",
            ),
            our_dls=("return learn.dls.train.decode((inputs,))[0][0] // 2", "values", "uses `learn` of the notebook"),
            stretched=(
                "one = inputs[0]\nreturn (one - one.min()) / (one.max() - one.min()) * 255 * 0.5",
                "values",
                "not those of this dls",
            ),
            not_a_tuple=("return dls.train.decode(inputs)[0]", "", "takes what a batch is, a tuple"),
            in_place=(
                "picture = dls.train.decode((inputs.clone(),))[0][0]\ninputs.zero_()\nreturn picture",
                "kept",
                "operation in place",
            ),
        ),
        equivalent={
            "return dls.train.decode((inputs,))[0][0] → return dls.train.decode((inputs,))[-1][0]": "the tuple has one element",
        },
    ),
    "cam.mean_plus_bias": Entry(
        right=body(
            LOGITS,
            mean="return maps.mean(dim=(1, 2)) + bias",
            flat="return maps.flatten(1).mean(1) + bias",
            by_sum="return maps.sum((1, 2)) / maps[0].numel() + bias",
            einsum='return torch.einsum("cij->c", maps) / (maps.shape[1] * maps.shape[2]) + bias',
            loop="return torch.stack([each.mean() + b for each, b in zip(maps, bias)])",
            pooling="return nn.functional.adaptive_avg_pool2d(maps, 1).flatten() + bias",
            keepdim="return (maps.mean((1, 2), keepdim=True) + bias[:, None, None]).squeeze()",
        ),
        wrong=wrong_body(
            LOGITS,
            no_bias=("return maps.mean((1, 2))", "values", "bias is missing"),
            summed=("return maps.sum((1, 2)) + bias", "values", "sum over positions"),
            minus=("return maps.mean((1, 2)) - bias", "values", "subtracted"),
            largest=("return maps.amax((1, 2)) + bias", "values", "largest value"),
            one_number=("return maps.mean() + bias.mean()", "shape", "one number for all classes"),
            keepdim=("return maps.mean((1, 2), keepdim=True) + bias[:, None, None]", "shape", "left over"),
            not_pooled=("return maps + bias[:, None, None]", "shape", "positions are still there"),
            forty_nine=("return maps.sum((1, 2)) / 49 + bias", "values", "written into the function"),
            relu=("return (maps.mean((1, 2)) + bias).relu()", "values", "logits may be negative"),
            softmax=("return (maps.mean((1, 2)) + bias).softmax(0)", "values", "probabilities"),
            wrong_axes=("return maps.mean((0, 1)) + bias", "", ""),
            our_bias=("return maps.mean((1, 2)) + learn.model[1][-1].bias[0]", "values", ""),
        ),
    ),
    "cam.two_layers": quiz(
        "two_layer_reasons",
        "bc",
        {
            '"a"': "512 and 512",
            '"b"': "more than one option is right",
            '"c"': "more than one option is right",
            '"d"': "the body is the same",
            '"abc"': "read what is said",
            '"bcd"': "read what is said",
        },
    ),
    "cam.cam_head": Entry(
        right=body(
            HEAD,
            three_modules="return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))",
            convolution="return nn.Sequential(nn.Conv2d(channels, classes, 1), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())",
            with_dropout="return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(channels, classes))",
            with_batch_norm="return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(channels), nn.Linear(channels, classes))",
            no_bias="return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes, bias=False))",
            two_linear="return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 7), nn.Linear(7, classes))",
            own_class="""
class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(channels, classes)

    def forward(self, activation):
        return self.linear(activation.mean((2, 3)))

return Head()
""",
        ),
        wrong=wrong_body(
            HEAD,
            two_layers=(
                "return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 32), nn.ReLU(), nn.Linear(32, classes))",
                "linear",
                "bends",
            ),
            max_pooling=(
                "return nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(channels, classes))",
                "linear",
                "the largest value is taken",
            ),
            relu_last=(
                "return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes), nn.ReLU())",
                "linear",
                "bends",
            ),
            relu_first=(
                "return nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))",
                "linear",
                "bends",
            ),
            softmax=(
                "return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes), nn.Softmax(dim=1))",
                "linear",
                "bends",
            ),
            fastai_head=(
                "from fastai.vision.all import create_head\nreturn create_head(channels, classes)",
                "linear",
                "bend",
            ),
            place_matters=(
                "return nn.Sequential(nn.Conv2d(channels, classes, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten())",
                "linear",
                "where something is",
            ),
            no_pooling=("return nn.Sequential(nn.Flatten(), nn.Linear(channels * 49, classes))", "", "RuntimeError"),
            no_flatten=(
                "return nn.Sequential(nn.Conv2d(channels, classes, 1), nn.AdaptiveAvgPool2d(1))",
                "shape",
                "flatten",
            ),
            not_pooled=("return nn.Conv2d(channels, classes, 1)", "shape", "pool them"),
            the_linear=("return nn.Linear(channels, classes)", "", "RuntimeError"),
            a_list=(
                "return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]",
                "shape",
                "return the head",
            ),
            always_dropping=(
                """
class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(channels, classes)

    def forward(self, activation):
        return self.linear(nn.functional.dropout(activation.mean((2, 3)), 0.5))

return Head()
""",
                "mode",
                "dropout at work",
            ),
        ),
    ),
}
