"""The compiled core by itself: what disagrees is refused, and all else is the reference's answer.

No user calls these functions. What is held here is that a mistake of a caller ends in an exception
and never outside of an array; ``make native-address`` runs it with every access watched.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import truemeans._core as core
from core_calls import ANSWERS, OBJECTS, PASSES, SHAPES, SIZES, WITHOUT_TEAM, Call, lengths
from truemeans.targets import has_tiles, targets

DISAGREEING = [
    (name, argument, i, by)
    for name, arguments in SHAPES.items()
    for argument, what in arguments.items()
    for i, axis in enumerate(what.split()[1])
    for by in (-1, 1)
    # Another argument, or a number in the core, has the same length.
    if axis in "es3" or sum(axis in w.split()[1].replace("e", "d") for w in arguments.values()) > 1
]


@pytest.mark.parametrize("name", SHAPES)
def test_what_agrees_is_taken(name):
    call = Call(name)
    call.run(call.arguments())


@pytest.mark.parametrize(("name", "argument", "axis", "by"), DISAGREEING)
def test_a_shape_that_disagrees_is_refused_and_nothing_written(name, argument, axis, by):
    call = Call(name)
    given = call.arguments()
    shape = list(call.shape(argument))
    shape[axis] += by
    given[argument] = call.make(SHAPES[name][argument], tuple(shape), argument)
    before = {a: v.copy() for a, v in given.items() if isinstance(v, np.ndarray)}
    with pytest.raises(ValueError, match=r"^internal: "):
        call.run(given)
    assert all(given[a].tobytes() == v.tobytes() for a, v in before.items())


def changed(array: Any, place: Any, value: Any) -> Any:
    """A copy with one entry changed."""
    out = array.copy()
    out[place] = value
    return out


def shrunk(**sizes: int) -> dict[str, int]:
    return {**SIZES, **sizes}


# What no shape shows, with the function, the sizes, and what is changed of good arguments.
REFUSED = {
    "no features": ("survey", shrunk(d=0), {}),
    "no features of rows": ("row_keys", shrunk(d=0), {}),
    "no centroids": ("assign", shrunk(k=0), {}),
    "no candidates": ("find_closer", shrunk(k=0), {}),
    "no clusters": ("update", shrunk(d=0), {}),
    "no grids": ("assign", shrunk(g=0), {}),
    "too many grids": ("assign_bounded", shrunk(g=7), {}),
    "too many grids for moves": ("move_rows", shrunk(g=7), {}),
    "too many grids for means": ("update", shrunk(g=7), {}),
    "sums without grids": ("assign", SIZES, {"magic": lambda _: None}),
    "four features in boxes": ("Boxes32", shrunk(d=4), {}),
    "infinite rows in boxes": ("Boxes64", SIZES, {"X": lambda X: changed(X, (7, 1), np.inf)}),
    "rows in boxes that are no numbers": (
        "Boxes32", SIZES, {"X": lambda X: changed(X, (39, 1), np.nan)},
    ),
    "a row beyond the last": ("move_rows", SIZES, {"rows": lambda m: changed(m, 3, 40)}),
    "a row before the first": ("move_rows", SIZES, {"rows": lambda m: changed(m, 3, -1)}),
    "a label to add beyond the last": ("add_rows", SIZES, {"labels": lambda m: changed(m, 39, 5)}),
    "a label to add before the first": ("add_rows", SIZES, {"labels": lambda m: changed(m, 0, -1)}),
    "from beyond the last": ("move_rows", SIZES, {"from_": lambda m: changed(m, 5, 5)}),
    "from nowhere": ("move_rows", SIZES, {"from_": lambda m: changed(m, 0, -2)}),
    "to beyond the last": ("move_rows", SIZES, {"to": lambda m: changed(m, 5, 5)}),
    "to nowhere": ("move_rows", SIZES, {"to": lambda m: changed(m, 0, -1)}),
    "an own centroid that is not": (
        "own_sq_distances", SIZES, {"labels": lambda m: changed(m, 39, 5)},
    ),
    "no own centroid": ("max_abs_diff", SIZES, {"labels": lambda m: changed(m, 0, -1)}),
    "no own center": ("add_sq_diff", SIZES, {"labels": lambda m: changed(m, 20, 2**31 - 1)}),
    "rows not seen that may be skipped": (
        "assign", SIZES, {"labels": lambda m: changed(m, 17, -1)},
    ),
    "a bucket beyond the last": (
        "add_bucket_masses", SIZES, {"buckets": lambda m: changed(m, 39, 7)},
    ),
    "axes of other rows": (
        "find_closer", SIZES, {"axes": lambda _: Call("survey").make("axes", (41, 2))},
    ),
    "axes of other features": (
        "find_closer", SIZES, {"axes": lambda _: Call("survey").make("axes", (40, 3))},
    ),
    "axes for another target": (
        "find_closer", SIZES,
        {"axes": lambda _: Call("survey", target="baseline").make("axes", (40, 2))},
    ),
    "no buckets": ("add_bucket_masses", shrunk(b=0), {}),
    "a proposal of no row": ("play_rounds", SIZES, {"rows": lambda m: changed(m, 8, 40)}),
    "a proposal of no row at hand": ("play_ahead", SIZES, {"rows": lambda m: changed(m, 0, -1)}),
    "marks of fewer rows": ("play_ahead", SIZES, {"marks": lambda m: m[1:]}),
    "more proposals than 16 bits can name": ("play_ahead", shrunk(r=2**16), {}),
    "a pair of no row": ("play_rounds", SIZES, {"pair_rows": lambda m: changed(m, 19, -1)}),
    "pairs that begin early": ("play_rounds", SIZES, {"starts": lambda m: changed(m, 0, -1)}),
    "pairs that end late": ("play_rounds", SIZES, {"starts": lambda m: changed(m, 9, 21)}),
    "more buckets than numbers": ("sort_into_buckets", shrunk(b=2**16), {}),
    "no values in a line": ("optimum", shrunk(v=0), {}),
    "more clusters than values": ("optimum", SIZES, {"k": lambda _: 11}),
    "more costs than values": ("least_inertias", SIZES, {"most": lambda _: 11}),
    "no rows to search": ("SwapSearch", shrunk(n=0), {}),
    "a label to search that is not": (
        "SwapSearch", SIZES, {"labels": lambda m: changed(m, 0, 5)},
    ),
    "scores that are not": ("assign", SIZES, {"scores": lambda _: "rows"}),
    "tiles without a matrix unit": (
        "assign", SIZES, {"team": lambda _: core.Team(1, "baseline"), "scores": lambda _: "tiles"},
    ),
    "boxes of more features": (
        "assign_boxed", SIZES, {"boxes": lambda _: Call("survey").make("boxes", (40, 3))},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_lead_out_of_an_array_is_refused(case):
    name, sizes, changes = REFUSED[case]
    call = Call(name, sizes)
    given = {**call.scalars(), **call.arguments()}
    if name not in WITHOUT_TEAM:
        given["team"] = call.team
    given |= {argument: change(given.get(argument)) for argument, change in changes.items()}
    with pytest.raises(ValueError, match=r"^internal: "):
        getattr(core, name)(**given)


def test_an_unknown_target_is_refused():
    with pytest.raises(ValueError, match="internal: no such target"):
        core.Team(1, "mmx")


@pytest.mark.parametrize("name", PASSES)
def test_what_was_kept_for_so_many_centroids_is_refused_for_others(name):
    call = Call(name)
    given = call.arguments()
    call.run(given)
    if name == "assign":
        call.run(given)  # the skip was begun
    fewer = replace(call, sizes=shrunk(k=4))
    kept = {a: given[a] for a in OBJECTS if a in given}
    with pytest.raises(ValueError, match=r"^internal: "):
        fewer.run({**fewer.arguments(), **kept})


@pytest.mark.parametrize("name", ["assign_bounded", "assign_boxed"])
@pytest.mark.parametrize("other", targets())
@pytest.mark.parametrize("target", targets())
def test_what_one_target_kept_is_refused_by_another_or_means_the_same(name, target, other):
    call = Call(name, sizes=shrunk(k=21), target=target)
    given = call.arguments()
    call.run(given)
    again = replace(call, target=other)
    try:
        found = again.run(given)
    except ValueError:
        return
    assert found[0] == 0


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 5), (900, 1, 300), (900, 2, 300)], ids=str)
def test_new_sums_are_of_no_rows(shape):
    # From 2 MB on they have pages of their own.
    for _ in range(3):
        sums = core.new_sums(*shape)
        np.testing.assert_array_equal(sums, np.zeros((*shape[:2], shape[2] + 1)))
        assert sums.ctypes.data % 64 == 0
        sums += 1.0


def test_a_float_mode_that_was_not_entered_can_be_left():
    core.FloatMode().leave()
    assert np.float64(1.0) / 3.0 == 0.3333333333333333


# -- fuzzing -----------------------------------------------------------------------------------

# At and beside the widths of lanes, panels, tiles, boxes and chunks.
BORDERS = sorted({max(b + i, 0) for b in (0, 2, 8, 16, 32, 64) for i in (-1, 0, 1)})
FEW = tuple(b for b in BORDERS if b <= 9)
LONG = (*BORDERS, 127, 128, 129, 255, 256, 257, 511, 513)
FAULTS = ("longer", "shorter", "empty", "dtype", "strided", "dimension", "read-only", "swapped")


def broken(call: Call, argument: str, value: Any, fault: str, axis: int) -> Any:
    """One argument with something wrong with it."""
    what = SHAPES[call.name][argument]
    shape = list(call.shape(argument))
    axis %= len(shape)
    if fault in ("longer", "shorter", "empty"):
        shape[axis] = {"longer": shape[axis] + 1, "shorter": max(0, shape[axis] - 1)}.get(fault, 0)
        return call.make(what, tuple(shape), argument)
    if not isinstance(value, np.ndarray):
        return value
    if fault == "dtype":
        return value.astype([np.float32, np.float64, np.int64, np.complex128, bool][axis - 2])
    if fault == "strided":
        wide = np.repeat(value, 2, axis=axis)
        return wide[(slice(None),) * axis + (slice(None, None, 2),)]
    if fault == "dimension":
        return value[..., np.newaxis] if axis else np.zeros((), value.dtype)
    if fault == "read-only":
        value.flags.writeable = False
        return value
    return value.astype(value.dtype.newbyteorder("S"))


@st.composite
def calls(draw: st.DrawFn, name: str) -> tuple[Call, list[tuple[str, str, int]]]:
    """A call, and what is broken of it: an argument, how, and in which axis."""
    wide = name != "update"
    sizes = {
        "n": draw(st.sampled_from(LONG)),
        "d": draw(st.sampled_from(FEW[:4] if "ox" in name else BORDERS if wide else FEW)),
        "k": draw(st.sampled_from(BORDERS if wide else FEW)),
        "g": draw(st.integers(1, 6)),
        "m": draw(st.sampled_from(BORDERS)),
        "r": draw(st.sampled_from(FEW)),
        "p": draw(st.sampled_from(BORDERS)),
        "b": draw(st.sampled_from(BORDERS)),
        "v": draw(st.sampled_from(FEW)),
        "t": max(2 * draw(st.sampled_from(FEW)) - 1, 0),
    }
    target = draw(st.sampled_from(list(targets())))
    tiles = ("tiles", "coarse", "bytes") if has_tiles(target) else ()
    call = Call(
        name,
        sizes,
        draw(st.sampled_from([np.float32, np.float64])),
        draw(st.sampled_from(["lattice", "normal", "offset", "twins"])),
        draw(st.integers(0, 99)),
        tuple(
            a
            for a in ("weight", "skip", "packed", "axes")
            if draw(st.booleans()) and name != "SwapSearch"
        ),
        target,
        draw(st.sampled_from([1, 3])),
        draw(st.sampled_from(["samples", "centroids", "none", *tiles])),
    )
    arguments = st.sampled_from(list(SHAPES[name]))
    fault = st.tuples(arguments, st.sampled_from(FAULTS), st.integers(0, 3))
    return call, draw(st.lists(fault, max_size=2)) if draw(st.booleans()) else []


def check(name: str, call: Call, faults: list[tuple[str, str, int]]) -> None:
    """The core refuses a call or answers it as the reference does."""
    nothing = 0 in [length for argument in SHAPES[name] for length in call.shape(argument)]
    try:
        given = call.arguments()
        for argument, fault, axis in faults:
            if given[argument] is not None:
                given[argument] = broken(call, argument, given[argument], fault, axis)
        before = {a: v.copy() if isinstance(v, np.ndarray) else v for a, v in given.items()}
        found = call.run(given)
    except (TypeError, ValueError):
        if nothing or faults:
            return
        raise
    sizes = lengths(name, before)
    assert all(len(of) == 1 for of in sizes.values())
    if {0} not in sizes.values():
        ANSWERS[name](call, before, given, found)


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=settings.default.max_examples // 10)
@given(data=st.data())
def test_any_arguments_are_refused_or_answered(name, data):
    check(name, *data.draw(calls(name)))
