"""What a model promises: rows to logits, weights from the seed, and nothing shared."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from exp.cli.check.finding import Checks, WrongError
from exp.cli.check.subject import Subject, global_states, globally_seeded
from exp.cli.check.training import same_again, same_in_a_stack
from exp.engine.layers import lifted
from exp.engine.model_checks import last_step, tensors

CHECKS = Checks()
SHAPES = ((2, 1), (2, 3), (5, 4))
"""Features and logits: two classes have one logit, K have K."""
ROWS = 7


def module(subject: Subject, features: int = 2, outputs: int = 1, seed: int = 0) -> nn.Module:
    """
    Raises:
        WrongError: it builds something else.
    """
    with global_states():
        torch.manual_seed(seed)
        found = subject.build(features, outputs)
    if not isinstance(found, nn.Module):
        raise WrongError(f"a {type(found).__name__}")
    return found


def inputs(features: int = 2, rows: int = ROWS) -> Tensor:
    return torch.randn(rows, features, generator=torch.Generator().manual_seed(0))


@CHECKS.add("module", "an nn.Module with parameters to train", essential=True)
def gives_a_module(subject: Subject) -> str | None:
    for features, outputs in SHAPES:
        try:
            found = module(subject, features, outputs)
        except WrongError as error:
            return str(error)
        if not any(p.requires_grad for p in found.parameters()):
            return "nothing to train"
    return None


@CHECKS.add("shapes", "rows [rows, in_features] to logits [rows, out_features]", essential=True)
def shapes(subject: Subject) -> str | None:
    for features, outputs in SHAPES:
        logits = module(subject, features, outputs).eval()(inputs(features))
        if not isinstance(logits, Tensor):
            return f"a {type(logits).__name__}"
        if logits.shape != (ROWS, outputs):
            wanted, found = [ROWS, outputs], list(logits.shape)
            return f"logits {found} where {wanted} are wanted of rows {[ROWS, features]}"
    return None


@CHECKS.add("logits", "logits, not probabilities: no sigmoid or softmax at the end")
def logits(subject: Subject) -> str | None:
    for features, outputs in SHAPES:
        last = last_step(module(subject, features, outputs).eval()(inputs(features)))
        if last is not None:
            return f"a {last} as the last step"
    return None


@CHECKS.add("tensors", "each tensor a parameter or a buffer, moved with the model and saved")
def all_known(subject: Subject) -> str | None:
    plain = [name for kind, name, _ in tensors(module(subject)) if kind == "plain"]
    return f"a plain tensor {plain[0]}" if plain else None


@CHECKS.add("dtype", "logits in the type of its rows, float32 and float64")
def dtype(subject: Subject) -> str | None:
    for kind in (torch.float32, torch.float64):
        logits = module(subject).to(kind).eval()(inputs().to(kind))
        if logits.dtype != kind:
            return f"{logits.dtype} from {kind}"
    return None


@CHECKS.add("seeded", "the same weights from the same seed of torch, whatever else is seeded")
def seeded(subject: Subject) -> str | None:
    found = []
    for number in (1, 2):
        with globally_seeded(number):
            found.append(module(subject).state_dict())
    names = [name for name, tensor in found[0].items() if not torch.equal(tensor, found[1][name])]
    return f"other {names[0]}" if names else None


@CHECKS.add("global generators", "none seeded, and none drawn from but torch's")
def global_generators(subject: Subject) -> str | None:
    after = []
    for seed in (1, 2):
        with global_states() as changed:
            torch.manual_seed(seed)
            subject.build(2, 1)
            after.append(torch.get_rng_state())
        if others := [name for name in changed if not name.startswith("torch")]:
            return f"{' and '.join(others)} changed"
    return "torch's generator seeded by it" if torch.equal(*after) else None


@CHECKS.add("no shared state", "weights of its own for each module that it builds")
def no_shared_state(subject: Subject) -> str | None:
    one, other = module(subject, seed=1), module(subject, seed=2)
    known = {tensor.data_ptr() for tensor in one.state_dict().values() if tensor.numel()}
    shared = [n for n, tensor in other.state_dict().items() if tensor.data_ptr() in known]
    return f"{shared[0]} shared by two modules" if shared else None


@CHECKS.add("rows kept", "the rows that it is given unchanged")
def rows_kept(subject: Subject) -> str | None:
    found = module(subject)
    for training in (True, False):
        x = inputs()
        with torch.no_grad():
            found.train(training)(x)
        if not torch.equal(x, inputs()):
            return "rows that it has changed"
    return None


@CHECKS.add("evaluation", "each row's logits by itself, and the same each time, in evaluation mode")
def evaluation(subject: Subject) -> str | None:
    found, x = module(subject).eval(), inputs()
    with torch.no_grad(), global_states():
        whole, again = found(x), found(x)
        if not torch.equal(whole, again):
            return "other logits the second time"
        alone = torch.cat([found(x[i : i + 1]) for i in range(len(x))])
    far = (whole - alone).abs().max().item()
    return None if far < 1e-4 else f"logits of a row that change by {far:.2g} with other rows"


@CHECKS.add("gradients", "finite gradients")
def gradients(subject: Subject) -> str | None:
    found = module(subject).eval()
    found(inputs()).square().mean().backward()
    for name, parameter in found.named_parameters():
        if parameter.grad is not None and not parameter.grad.isfinite().all():
            return f"a gradient of {name} that is not finite"
    return None


@CHECKS.add("same again", "the same bits of a run, done again after another")
def again(subject: Subject) -> str | None:
    return same_again(subject)


@CHECKS.add("stack", "the same bits alone and in a stack, or by itself if not known to stack")
def stack(subject: Subject) -> str | None:
    if lifted("", [module(subject)]) is None:
        return None  # it trains by itself, through the same loop
    return same_in_a_stack(subject)
