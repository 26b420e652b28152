"""Memory: what is free is counted, what cannot fit is refused with its bytes, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest

import truemeans
from ladder import bits, make_rows
from truemeans import control_group, memory
from truemeans.plan import make_plan, most_pairs, skip_bytes
from truemeans.targets import has_tiles
from truemeans.validation import footprint

MIB = 1 << 20


@pytest.fixture(name="system")
def a_made_up_system(monkeypatch, tmp_path):
    """Files of the kernel in a folder; returns a function that writes one."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    write("meminfo", "MemTotal: 9 kB\nMemAvailable:   7000 kB\nSwapFree: 100 kB\n")
    write("own", "0::/service/worker\n")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(control_group, "_ROOT", tmp_path / "groups")
    monkeypatch.setattr(control_group, "_OWN", tmp_path / "own")
    return write


def test_free_memory_here():
    found = memory.available_memory()
    assert found is None or 2**20 < found < 2**50


def test_free_memory_is_the_machines_with_swap(system):
    assert memory.available_memory() == 7100 * 1024


@pytest.mark.parametrize("group", ["service/worker", "service", "."])
def test_free_memory_is_what_every_group_leaves(system, group):
    system(f"groups/{group}/memory.current", "2000000\n")
    system(f"groups/{group}/memory.stat", "anon 5\ninactive_file 300\nactive_file 40\n")
    system(f"groups/{group}/memory.max", "max\n")
    assert memory.available_memory() == 7100 * 1024
    system(f"groups/{group}/memory.max", "2001000\n")
    # Swap is not under the group's limit, and pages of files are given up.
    assert memory.available_memory() == 1000 + 340 + 100 * 1024


def test_free_memory_in_groups_of_the_first_version(system):
    system("own", "5:cpu,cpuacct:/\n4:memory:/box/deep\n")
    system("groups/memory/box/memory.usage_in_bytes", "900\n")
    system("groups/memory/box/memory.stat", "inactive_file 1\ntotal_inactive_file 300\n")
    system("groups/memory/box/memory.limit_in_bytes", "9223372036854771712\n")
    assert memory.available_memory() == 7100 * 1024
    system("groups/memory/box/memory.limit_in_bytes", "1000\n")
    assert memory.available_memory() == 400 + 100 * 1024


@pytest.fixture(name="free")
def so_much_is_free(monkeypatch):
    """Returns a function that says how much is free; everything asks for it."""
    monkeypatch.setattr(footprint, "ASK_FROM_BYTES", 0)
    return lambda n: monkeypatch.setattr(footprint, "available_memory", lambda: n)


def test_a_run_that_cannot_fit_is_refused_with_its_bytes(free):
    X = np.zeros((1000, 3))
    need = 12 * 1000 + 8 * 10 * 10
    free(need - 1)
    for call in (
        lambda: truemeans.k_means(X, 10),
        lambda: truemeans.kmeans_plusplus(X, 10),
        lambda: truemeans.KMeans(10).fit(X),
    ):
        with pytest.raises(MemoryError, match=f"takes at least {need:,} bytes beside the rows"):
            call()
    with pytest.raises(MemoryError) as caught:
        truemeans.k_means(X, 10)
    assert str(caught.value) == (
        "Clustering 1,000 rows of 3 features into 10 clusters takes at least 12,800 bytes beside "
        "the rows, and 12,799 bytes are free; ask for fewer clusters, or cluster fewer rows or "
        "columns at a time."
    )
    free(need)
    truemeans.kmeans_plusplus(X, 10, random_state=0)
    free(need - 8 * 1000)
    X[:10, 0] = np.arange(10)
    truemeans.k_means(X, 10, init=X[:10])


def test_distances_that_cannot_fit_are_refused_with_their_bytes(free):
    X = np.arange(3000.0).reshape(1000, 3)
    free(1 << 40)
    model = truemeans.KMeans(10, random_state=0).fit(X)
    free(16 * 1000 * 10 - 1)
    with pytest.raises(MemoryError, match="takes at least 160,000 bytes while"):
        model.transform(X)
    free(16 * 1000 * 10)
    model.transform(X)


def run_alone(code):
    """What a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("n", "d", "k", "init"),
    [(2_000_000, 2, 2, "X[:k]"), (2_000_000, 2, 2, "'k-means++'"), (20_000, 100, 10_000, "X[:k]")],
    ids=["rows", "drawn rows", "clusters"],
)
def test_what_is_asked_for_is_less_than_what_is_taken(n, d, k, init):
    # So nothing is refused that would fit.
    printed = run_alone(f"""
        import resource, numpy as np, truemeans
        from pathlib import Path
        from truemeans.validation import footprint
        n, d, k = {n}, {d}, {k}
        X = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
        truemeans.k_means(X[:1000], 2, random_state=0)
        needed = []
        footprint._check = lambda need, *words: needed.append(need)
        Path("/proc/self/clear_refs").write_text("5")
        now = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        truemeans.k_means(X, k, init={init}, max_iter=1, n_threads=1, random_state=0)
        status = dict(l.split(":", 1) for l in Path("/proc/self/status").read_text().splitlines())
        print(needed[0], int(status["VmHWM"].split()[0]) * 1024 - now)
    """)
    needed, taken = map(int, printed.split())
    # Linux adds a thread's pages to the count in batches, so that it may lag by some hundred kB.
    assert 5 * MIB < needed < taken + MIB // 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("n", "d", "k"), [(1_000_000, 2, 50), (400_000, 8, 50)])
def test_seeding_takes_no_more_than_the_formula_says(n, d, k):
    printed = run_alone(f"""
        import resource, numpy as np, truemeans
        from pathlib import Path
        X = np.random.default_rng(0).normal(size=({n}, {d})).astype(np.float32)
        truemeans.kmeans_plusplus(X[:1000], 2, random_state=0)
        Path("/proc/self/clear_refs").write_text("5")
        now = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        truemeans.kmeans_plusplus(X, {k}, random_state=0, n_threads=2)
        status = dict(l.split(":", 1) for l in Path("/proc/self/status").read_text().splitlines())
        print(int(status["VmHWM"].split()[0]) * 1024 - now)
    """)
    # A pair takes 16 bytes, in vectors that double, and is copied when they do.
    assert int(printed) <= 18 * n + 48 * most_pairs(n, d, 4, axes=False) + 8 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
def test_a_limit_of_the_address_space_is_seen_before_the_run_and_survived_in_it():
    printed = run_alone("""
        import resource, numpy as np, truemeans
        X = np.random.default_rng(0).normal(size=(5_000_000, 2)).astype(np.float32)
        model = truemeans.KMeans(4, random_state=0, n_threads=2).fit(X[:30_000])

        def kept():
            return {name: value for name, value in vars(model).items() if name[-1] == "_"}

        def outcome(spare):
            before = kept()
            model.set_params(n_clusters=40, init=X[:40], max_iter=1)
            used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + (spare << 20), -1))
            try:
                model.fit(X)
            except MemoryError as error:
                after = kept()
                assert after.keys() == before.keys()
                assert all(after[name] is before[name] for name in before)
                return "refused" if "takes at least" in str(error) else "ran-out"
            finally:
                resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
            return "fitted"

        # The labels take 20 MB, and what is kept to skip work as much again and more.
        print(*[outcome(spare) for spare in (10, 22, 25, 30, 50, 80, 1000)])
    """)
    first, *between, last = printed.split()
    assert (first, last) == ("refused", "fitted")
    assert "ran-out" in between, between


SHAPES = [(1_000_000, 2, 100), (100_000, 64, 1024), (100_000, 8, 30), (1_000_000, 3, 40)]


@pytest.mark.parametrize("itemsize", [4, 8])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_skip_memory_bounds_what_is_kept_from_pass_to_pass(shape, itemsize, monkeypatch):
    monkeypatch.setenv("TRUEMEANS_TARGET", "baseline")
    n, d, _ = shape
    usual = make_plan(*shape, itemsize=itemsize)
    most = skip_bytes(usual.skip, d, itemsize)
    # The labels take 4 of the 24 bytes a row that are allowed beside half of X.
    assert most <= 20 + d * itemsize // 2
    kept = []
    for room in [*range(60), 100, 200, 10**6]:
        plan = make_plan(*shape, itemsize=itemsize, skip_memory=room * n + n - 1)
        kept.append(skip_bytes(plan.skip, d, itemsize, plan.row_room))
        assert kept[-1] <= room
        assert plan.scores == usual.scores
        assert (kept[-1] < most) == any("skip_memory" in rule for rule in plan.why) or (
            plan.skip == usual.skip == "groups"
        )
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (0, most)


@pytest.mark.parametrize(
    ("n", "d", "k"),
    [(60_000, 3, 40), (3000, 64, 1100), (3000, 8, 20)],
    ids=["boxes", "groups", "rows"],
)
def test_skip_memory_changes_no_bit(n, d, k, monkeypatch):
    monkeypatch.setenv("TRUEMEANS_TARGET", "baseline")
    X = make_rows("normal", n, d, np.float32)
    skips = set()
    for room in (None, 30 * n, 8 * n, 3 * n, 0):
        result = truemeans.k_means(X, k, init=X[:k], max_iter=6, skip_memory=room)
        skips.add(result.plan.skip)
        if room is None:
            expected = bits(result)
        assert bits(result) == expected
    model = truemeans.KMeans(k, init=X[:k], n_init=1, max_iter=6, tol=0, skip_memory=0).fit(X)
    assert model.labels_.tobytes() == result.labels.tobytes()
    assert len(skips) == (2 if (n, d) == (3000, 8) else 3)


@pytest.mark.parametrize("bad", [-1, 0.5, "much", True])
def test_skip_memory_is_a_number_of_bytes(bad):
    with pytest.raises(ValueError, match=r"^skip_memory=.* must be an integer, 0 or more; or give"):
        truemeans.k_means([[0.0], [1.0]], 2, skip_memory=bad)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("n", "d", "k", "dtype", "target", "weight"),
    [
        (1_000_000, 3, 64, "f8", "baseline", "None"),
        (1_000_000, 2, 64, "f4", "", "np.linspace(0.25, 0.75, n)"),
        (40_000, 128, 520, "f4", "baseline", "None"),
        (1_000_000, 4, 8, "f4", "baseline", "None"),
        pytest.param(
            *(40_000, 400, 768, "f4", "amx", "None"),
            marks=pytest.mark.skipif(not has_tiles(""), reason="amx"),
        ),
    ],
    ids=["boxes", "weighted boxes", "groups", "rows", "packed"],
)
def test_a_fit_takes_no_more_than_the_formula_says(n, d, k, dtype, target, weight, monkeypatch):
    # The formula of docs/memory.md, which `python -m benchmarks memory` holds on large data.
    monkeypatch.setenv("TRUEMEANS_TARGET", target)
    code = f"""
        import resource, numpy as np, truemeans
        from pathlib import Path
        n, d, k, room = {n}, {d}, {k}, ROOM
        rng = np.random.default_rng(0)
        X = rng.normal(size=(n, d)).astype("{dtype}")
        if "{target}" == "amx":  # clusters that bytes can tell apart; finer scores keep no rows
            X += 4 * rng.normal(size=(k, d)).astype("f4")[np.arange(n) % k]
        weight = {weight}
        truemeans.k_means(X[:1000], 2, random_state=0)
        Path("/proc/self/clear_refs").write_text("5")
        now = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        truemeans.k_means(
            X, k, init=X[:k], max_iter=8, n_threads=1, skip_memory=room, sample_weight=weight
        )
        status = dict(l.split(":", 1) for l in Path("/proc/self/status").read_text().splitlines())
        print(int(status["VmHWM"].split()[0]) * 1024 - now)
    """
    itemsize = int(dtype[1])
    plan = make_plan(n, d, k, 1, itemsize=itemsize)
    others = 4 * n + 6 * 8 * k * (d + 1) + (46 if plan.skip == "packed" else 40) * k * d + 8 * MIB
    usual = skip_bytes(plan.skip, d, itemsize)
    taken, least = (int(run_alone(code.replace("ROOM", room))) for room in ("None", "0"))
    assert taken <= usual * n + others
    assert least <= others
    # A fit of few clusters keeps a bound a row once few rows change; the others from the start.
    if plan.skip != "rows":
        assert taken - least >= 10 * n
