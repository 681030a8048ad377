"""Every kind of the catalogue keeps what kinds promise (see seqlayers.testing)."""

from __future__ import annotations

import dataclasses
import inspect
import re

import pytest

from seqlayers import backends, slots, testing
from tests.seqlayers.cases import CASES, CORE, ELSEWHERE, REPRESENTATIVE, TOPICS

#: What is tried fast of every kind's first case, and what of one of each way of computing.
LIGHT = ("round_trip", "causal", "masks", "bad_input")
HEAVY = tuple(name for name in testing.CHECKS if name not in (*LIGHT, "xla"))


def cases(fast):
    """Every case, those that are not to be fast marked as slow."""
    return pytest.mark.parametrize(
        "name", [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
    )


def check(name: str, only: list[str]) -> None:
    fields = {f.name: getattr(CASES[name], f.name) for f in dataclasses.fields(CASES[name])}
    testing.check_kind(**fields, only=only)


@cases(CORE)
@pytest.mark.parametrize("promise", LIGHT)
def test_a_kind_keeps_its_promise(name, promise):
    check(name, [promise])


@cases(REPRESENTATIVE)
@pytest.mark.parametrize("promise", HEAVY)
def test_a_way_of_computing_keeps_its_promise(name, promise):
    check(name, [promise])


@cases([topic.REPRESENTATIVE[0] for topic in TOPICS])
@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")  # where all is solved
def test_a_training_step_under_xla_is_the_plain_step(name):
    check(name, ["xla"])


@pytest.mark.slow
@pytest.mark.parametrize("names", [("gru", "quantile five"), tuple(CASES)], ids=["two", "all"])
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
    seen = set()
    for example in CASES.values():
        built = [(example.slot, example.configuration)]
        built += [("position", example.position)] if example.position else []
        for slot, configuration in built:
            seen.add((slot, configuration["kind"]))
            for name, value in slots.build(slot, configuration).settings().items():
                tried.setdefault((slot, configuration["kind"], name), set()).add(str(value))
    for slot, kinds in slots.catalogue().items():
        for kind, cls in kinds.items():
            assert (slot, kind) in seen, f"no case for {slot} '{kind}'"
            for argument in cls.arguments().values():
                is_choice = argument.type in ("bool", "bool | none") or "'" in argument.type or "none" in argument.type
                if is_choice and argument.name not in ELSEWHERE:
                    found = tried[slot, kind, argument.name]
                    assert len(found) > 1, f"{slot} '{kind}': only {argument.name}={found} is tried"


@pytest.mark.parametrize("slot, kind", [(s, k) for s, kinds in slots.catalogue().items() for k in kinds])
def test_counts_of_zero_are_refused_by_name(slot, kind):
    example = next(e for e in CASES.values() if (e.slot, e.configuration["kind"]) == (slot, kind))
    for argument in slots.get(slot, kind).arguments().values():
        if "≥ 1" in argument.type and "list" not in argument.type:
            with pytest.raises(
                slots.ConfigurationError, match=rf"{slot}\.{argument.name}: 0 given for {slot} '{kind}'"
            ):
                slots.build(slot, {**example.configuration, argument.name: 0})


@pytest.mark.parametrize("slot, kind", [(s, k) for s, kinds in slots.catalogue().items() for k in kinds])
def test_a_kind_is_documented(slot, kind):
    """With its shapes, its arguments, and, unless it does nothing, its equation."""
    cls = slots.get(slot, kind)
    text = inspect.cleandoc(cls.__doc__)
    assert len(text.splitlines()[0]) < 120 and text.splitlines()[0].endswith((".", ":", ")"))
    assert "Call arguments:" in text and "Returns:" in text and "(batch" in text
    assert kind == "none" or r"\(" in text or r"\[" in text, "no equation"
    for argument in cls.arguments():
        assert re.search(rf"^    [\w, ]*\b{argument}\b[\w, ]*: ", text, re.MULTILINE), f"'{argument}' is not explained"
