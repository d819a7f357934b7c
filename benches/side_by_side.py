"""Runs `prep` and what a user would pick instead on the same file, turn and turn about.

A benchmark of one command names its tasks (one kind of input each) and how two outputs
are compared, and calls `main`. Every contestant runs once unmeasured, which warms the
page cache, and its output is compared with that of the first. Then come the rounds,
A B C A B C …, each run in a directory that holds only the input and after `sync`, so
that nobody pays for what the one before left to be written. A ratio is taken within
each round, where both met the same machine, and the median is quoted.

Nothing is installed: a contestant that is missing is left out and named.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

BENCHES = Path(__file__).resolve().parent
LIMIT = "cat in > out"
FIGURES = ["MB/s", "wall, s", "user + sys, s", "peak, MB"]

Compare = Callable[[Path, Path], "str | None"]
"""Says where the second output first differs from the first, or nothing."""


class Contestant(NamedTuple):
    """A command that turns the input into `output` in the directory it runs in."""

    name: str
    command: tuple[str, ...]
    modules: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    """What must be here for it to run; their versions are printed."""
    stdout: str = os.devnull
    output: str | None = "train.jsonl"
    """What is compared; the limit has nothing to compare."""


class Task(NamedTuple):
    """One kind of input and those who can read it, `prep` first."""

    inputs: dict[str, str]
    """The name of each input as the contestants see it, and the suffix it is generated with."""
    contestants: list[Contestant]


class Usage(NamedTuple):
    """What one run took, in seconds and bytes."""

    wall: float
    cpu: float
    peak: int


class Failed(Exception):
    """A contestant did not do its work, or not the same work."""


def script(name: str, file: str, *arguments: str, modules: tuple[str, ...] = ()) -> Contestant:
    """A contestant from `peers/`, run by this Python."""
    command = (sys.executable, str(BENCHES / "peers" / file), *arguments)
    return Contestant(name, command, modules=modules)


def limit(*inputs: str) -> Contestant:
    return Contestant(LIMIT, ("cat", *inputs), stdout="out", output=None)


# ---------------------------------------------------------------- running


def run(contestant: Contestant, inputs: dict[str, Path], directory: Path) -> Usage:
    """Runs a contestant in a fresh directory that holds only the inputs."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, path in inputs.items():
        (directory / name).symlink_to(path)
    os.sync()
    stopwatch = [sys.executable, "-I", "-S", str(BENCHES / "stopwatch.py")]
    done = subprocess.run(
        [*stopwatch, contestant.stdout, *contestant.command], cwd=directory, capture_output=True, text=True
    )
    if done.returncode:
        raise Failed(f"{contestant.name} failed:\n{done.stderr}")
    return Usage(**json.loads(done.stdout))


def compare_outputs(contestants: list[Contestant], inputs: dict[str, Path], work: Path, compare: Compare) -> None:
    """Fails unless all contestants write what the first one does."""
    expected = None
    for contestant in contestants:
        note(f"comparing: {contestant.name}")
        run(contestant, inputs, work / "run")
        if contestant.output is None:
            continue
        output = work / "run" / contestant.output
        if expected is None:
            first, expected = contestant, output.replace(work / "expected")
        elif difference := compare(expected, output):
            raise Failed(f"{contestant.name} differs from {first.name} at {difference}")


def race(contestants: list[Contestant], inputs: dict[str, Path], work: Path, n_rounds: int) -> dict[str, list[Usage]]:
    """What each contestant took in each round."""
    usages: dict[str, list[Usage]] = {contestant.name: [] for contestant in contestants}
    for n in range(n_rounds):
        for contestant in contestants:
            note(f"round {n + 1} of {n_rounds}: {contestant.name}")
            usages[contestant.name].append(run(contestant, inputs, work / "run"))
    return usages


# ---------------------------------------------------------------- tables


def race_table(usages: dict[str, list[Usage]], input_bytes: int) -> str:
    rows = [
        [
            f"`{name}`" if name.startswith(("prep", "cat")) else name,
            *figures(runs, input_bytes),
            times(runs, usages.get("prep")),
            times(runs, usages.get("prep --threads 1")),
            times(usages.get(LIMIT), runs),
        ]
        for name, runs in usages.items()
    ]
    ratios = ["`prep` is faster", "`--threads 1` is faster", f"of `{LIMIT}`"]
    return markdown(["", *FIGURES, *ratios], rows)


def memory_table(by_size: dict[str, tuple[int, list[Usage]]]) -> str:
    """The peak is the highest of all runs, the growth is in wall time from size to size."""
    rows, before = [], None
    for size, (input_bytes, runs) in by_size.items():
        rows.append([size, *figures(runs, input_bytes), times(runs, before)])
        before = runs
    return markdown(["input", *FIGURES, "wall to the size before"], rows)


def figures(runs: list[Usage], input_bytes: int) -> list[str]:
    wall, cpu = median(run.wall for run in runs), median(run.cpu for run in runs)
    peak = max(run.peak for run in runs)
    return [f"{input_bytes / wall / 1e6:.0f}", f"{wall:.3f}", f"{cpu:.3f}", f"{peak / 1e6:.0f}"]


def times(runs: list[Usage] | None, others: list[Usage] | None) -> str:
    """How many times as long `runs` took as `others`, round by round."""
    if not runs or not others:
        return "–"
    return f"{median(one.wall / other.wall for one, other in zip(runs, others)):.2f}"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])


# ---------------------------------------------------------------- what is here


def present(contestants: list[Contestant]) -> list[Contestant]:
    """The contestants that can run here; the others are named."""
    able = []
    for contestant in contestants:
        missing = [module for module in contestant.modules if not find_spec(module)]
        missing += [program for program in contestant.programs if not shutil.which(program)]
        if missing:
            print(f"Left out: {contestant.name}, for want of {' and '.join(Path(m).name for m in missing)}.\n")
        else:
            able.append(contestant)
    return able


def versions(contestants: list[Contestant]) -> str:
    modules = sorted({module for contestant in contestants for module in contestant.modules})
    tools = sorted({program for contestant in contestants for program in contestant.programs})
    reported = [first_line(tool, "--version") for tool in tools]
    return ", ".join([f"Python {platform.python_version()}", *(f"{m} {version(packages_distributions()[m][0])}" for m in modules), *reported])


def first_line(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]


def machine() -> str:
    cpu_info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [line.split(": ")[1] for line in cpu_info.split("\n") if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    return f"{os.cpu_count()} cores of {model}"


def seconds_elsewhere() -> float:
    """The CPU time that this machine has spent so far on anything but this run."""
    _, user, nice, system, _idle, _wait, *rest = Path("/proc/stat").read_text(encoding="utf-8").split()[:9]
    busy = sum(map(int, (user, nice, system, *rest))) / os.sysconf("SC_CLK_TCK")
    return busy - sum(os.times()[:4])


# ---------------------------------------------------------------- the command


def arguments(description: str, kinds: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--kind", choices=kinds, default=kinds[0], help="kind of input (default: %(default)s)")
    parser.add_argument("--size", action="append", metavar="100MB", help="may be repeated; default 100MB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", metavar="NAME", help="contestants to run, by name; may be repeated")
    parser.add_argument(
        "--memory",
        action="store_true",
        help="measure `prep` alone, or --only, from size to size; default 10MB, 100MB and 1GB",
    )
    parser.add_argument("--corpus", default="corpus", help="what generate.py --corpus wrote (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=BENCHES / "data")
    parser.add_argument("--work", type=Path, help="where to put the outputs for a while; default DATA")
    parser.add_argument("--prep", type=Path, default=BENCHES.parent / "target/release/prep")
    return parser.parse_args()


def main(description: str, tasks: Callable[[str], dict[str, Task]], compare: Compare) -> None:
    """Races, or measures memory, as the command line says.

    `tasks` gives the tasks by kind of input, given the path of `prep`. Exits with 1 when
    outputs differ or a contestant fails, with 2 when it cannot start.
    """
    args = arguments(description, list(tasks("prep")))
    task = tasks(str(args.prep.resolve()))[args.kind]
    names = [contestant.name for contestant in task.contestants]
    chosen = args.only or (["prep"] if args.memory else names)
    if unknown := set(chosen).difference(names):
        stop(2, f"no contestant is called {' or '.join(unknown)}; for {args.kind} there are: {'; '.join(names)}")
    contestants = present([contestant for contestant in task.contestants if contestant.name in chosen])
    if not contestants:
        stop(2, "nothing is left to run")
    scratch = args.work or args.data
    scratch.mkdir(parents=True, exist_ok=True)
    print(f"{machine()}; {versions(contestants)}.", flush=True)
    try:
        with TemporaryDirectory(prefix="work-", dir=scratch) as work:
            if args.memory:
                measure_memory(args, task, contestants, Path(work).resolve())
            else:
                measure_race(args, task, contestants, Path(work).resolve(), compare)
    except Failed as failure:
        stop(1, str(failure))


def measure_race(
    args: argparse.Namespace, task: Task, contestants: list[Contestant], work: Path, compare: Compare
) -> None:
    for size in args.size or ["100MB"]:
        inputs, input_bytes = generated(args, task, size)
        compare_outputs(contestants, inputs, work, compare)
        begin, elsewhere = time.perf_counter(), seconds_elsewhere()
        usages = race(contestants, inputs, work, args.rounds)
        seconds = (time.perf_counter() - begin) * os.cpu_count()
        others = (seconds_elsewhere() - elsewhere) / seconds
        caption = f"{args.corpus}-{size}, {args.kind}, {input_bytes / 1e6:.0f} MB, median of {args.rounds} rounds"
        print(f"\n{caption}; others kept {others:.0%} of the cores busy:\n")
        print(race_table(usages, input_bytes), flush=True)


def measure_memory(args: argparse.Namespace, task: Task, contestants: list[Contestant], work: Path) -> None:
    for contestant in contestants:
        by_size = {}
        for size in args.size or ["10MB", "100MB", "1GB"]:
            inputs, input_bytes = generated(args, task, size)
            run(contestant, inputs, work / "run")
            by_size[size] = input_bytes, race([contestant], inputs, work, args.rounds)[contestant.name]
        print(f"\n{contestant.name}, {args.kind}, {args.rounds} rounds:\n")
        print(memory_table(by_size), flush=True)


def generated(args: argparse.Namespace, task: Task, size: str) -> tuple[dict[str, Path], int]:
    """The inputs of this size by the names they are given, and their bytes together."""
    inputs = {name: (args.data / f"{args.corpus}-{size}{suffix}").resolve() for name, suffix in task.inputs.items()}
    for path in inputs.values():
        if not path.exists():
            stop(2, f"no `{path}`; run generate.py --corpus {args.corpus} --size {size} --kind {args.kind}")
    return inputs, sum(path.stat().st_size for path in inputs.values())


def note(text: str) -> None:
    print(text, file=sys.stderr)


def stop(status: int, text: str) -> None:
    note(f"error: {text}")
    sys.exit(status)
