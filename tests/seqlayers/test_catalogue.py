"""Every kind of the catalogue keeps what kinds promise (see seqlayers.testing)."""

from __future__ import annotations

import pytest

from seqlayers import backends, slots, testing
from tests.seqlayers.cases import CASES, ELSEWHERE, REPRESENTATIVE

FAST = [name for name in testing.CHECKS if name != "xla"]

every_case = pytest.mark.parametrize("name", CASES)


def check(name: str, only: list[str]) -> None:
    example = CASES[name]
    sizes = {k: getattr(example, k) for k in ("time", "features", "batch", "known", "pooled")}
    testing.check_kind(example.slot, example.configuration, only=only, **sizes)


@every_case
@pytest.mark.parametrize("promise", FAST)
def test_a_kind_keeps_its_promise(name, promise):
    check(name, [promise])


@pytest.mark.parametrize("name", REPRESENTATIVE)
def test_a_training_step_under_xla_is_the_plain_step(name):
    check(name, ["xla"])


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in CASES if n not in REPRESENTATIVE])
def test_a_training_step_under_xla_is_the_plain_step_for_the_others(name):
    check(name, ["xla"])


@pytest.mark.parametrize(
    "names", [("gru", "quantile five"), pytest.param(tuple(CASES), marks=pytest.mark.slow)], ids=["two", "all"]
)
def test_the_jax_backend_gives_the_same_numbers(names):
    names = [n for n in names if "jax" not in CASES[n].layer().refusals()]
    examples = [CASES[n] for n in names]
    for name, example, there in zip(names, examples, backends.on_backend("jax", examples), strict=True):
        here = backends.outputs(example)
        assert here.keys() == there.keys()
        for key, value in here.items():
            testing.equal(there[key], value, f"{name}: {key} on JAX differs")


def test_every_kind_and_every_option_has_a_case():
    tried: dict[tuple[str, str, str], set] = {}
    for example in CASES.values():
        for name, value in slots.build(example.slot, example.configuration).settings().items():
            tried.setdefault((example.slot, example.configuration["kind"], name), set()).add(str(value))
    seen = {(slot, kind) for slot, kind, _ in tried} | {(e.slot, e.configuration["kind"]) for e in CASES.values()}
    for slot, kinds in slots.catalogue().items():
        for kind, cls in kinds.items():
            assert (slot, kind) in seen, f"no case for {slot} '{kind}'"
            for argument in cls.arguments().values():
                is_choice = argument.type in ("bool", "bool | none") or "'" in argument.type or "none" in argument.type
                if is_choice and argument.name not in ELSEWHERE:
                    found = tried[slot, kind, argument.name]
                    assert len(found) > 1, f"{slot} '{kind}': only {argument.name}={found} is tried"
