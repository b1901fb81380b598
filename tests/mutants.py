"""Mutants: a dozen lines of the product changed one after the other, to see which tests notice.

    python -m tests.mutants --seed 7 --wing colorizer.color --wing pipeline.values

A wing's own tests run on a copy of the checkout, those of the changed file first. A mutant that they pass survives: the
line may be wrong and nobody would know. The exit code is 1 then. What no test can notice stands in EQUIVALENT.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.checkout import ROOT, WINGS

CHEAP = (
    "colorizer.color", "colorizer.networks", "pipeline.values", "pipeline.storage", "pipeline.metadata",
    "pipeline.stills",
)  # fmt: skip
"""Wings whose tests take less than two minutes each on a quiet core."""

ALSO = {
    "pipeline.metadata": ("tests/pipeline/stills",),
    "colorizer.networks": ("tests/colorizer/painting/test_shipped.py",),
    "colorizer.basis": ("tests/colorizer/color", "tests/colorizer/painting"),
    "workflows.sheets": ("tests/workflows/commands/test_evaluate.py",),
    "workflows.bench": ("tests/workflows/commands/test_bench.py",),
}
"""Tests of wings that have no folder of their own, or are tested elsewhere too."""

EQUIVALENT: dict[tuple[str, str], str] = {
    ("colorizer/networks/lite.py", "y = self.project(F.relu6(self.depth(y), inplace=False))"): "only takes more memory",
    (
        "colorizer/color/kept_luma.py",
        "above = torch.maximum(torch.maximum(r, g), b) / (1 - luma).clamp_min(2e-06)",
    ): "keeps a division by zero away, with white that is within a millionth",
}
"""Why a changed line of a file, without its indent, does what it did before."""

COMPARISONS = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"), ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "*"),
    ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"), ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"),
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}

Span = tuple[int, int]
"""Bytes of a line from and to which something is replaced."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One line changed. line: its number from 1; was, now: the whole line, without its end."""

    path: str
    line: int
    operator: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}  {self.was.strip()}  ->  {self.now.strip()}"


def changes(node: ast.AST, line: bytes) -> Iterator[tuple[str, Span, str]]:
    """What can be changed in a node that lies on one line: the operator's name, where, and what comes there."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from between("comparison", node.left, node.comparators[0], COMPARISONS[type(node.ops[0])], line)
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield from between("arithmetic", node.left, node.right, ARITHMETIC[type(node.op)], line)
    elif isinstance(node, ast.BoolOp):
        words = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        yield from between("and, or", node.values[0], node.values[1], words, line)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not dropped", (node.col_offset, node.operand.col_offset), ""
    elif isinstance(node, ast.Constant):
        yield from constants(node)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
        yield "min, max", (node.func.col_offset, node.func.end_col_offset or 0), NAMES[node.func.id]
    elif isinstance(node, ast.If | ast.IfExp) and node.test.lineno == node.test.end_lineno:
        yield from negated(node.test, line)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "call dropped", (node.col_offset, node.end_col_offset or 0), "pass"


def between(name: str, left: ast.expr, right: ast.expr, words: tuple[str, str], line: bytes) -> Iterator:
    """The operator between two operands, where it stands there once."""
    start, stop = left.end_col_offset or 0, right.col_offset
    old = words[0].encode()
    if left.end_lineno == right.lineno and line[start:stop].count(old) == 1:
        at = start + line[start:stop].index(old)
        yield name, (at, at + len(old)), words[1]


def constants(node: ast.Constant) -> Iterator:
    """A number one further or twice as large, a truth turned round."""
    span, value = (node.col_offset, node.end_col_offset or 0), node.value
    if isinstance(value, bool):
        yield "constant", span, str(not value)
    elif isinstance(value, int):
        yield "off by one", span, str(value + 1)
    elif isinstance(value, float):
        yield "constant", span, repr(value * 2 if value else 1.0)


def negated(test: ast.expr, line: bytes) -> Iterator:
    """A condition turned round."""
    if isinstance(test, ast.Compare | ast.UnaryOp):
        return  # another operator does that
    span = test.col_offset, test.end_col_offset or 0
    yield "negation", span, f"not ({line[slice(*span)].decode()})"


def inside(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes of all functions' bodies. Not what is said: docstrings, annotations, errors' and formatted texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body:
                yield from spoken(statement)


def spoken(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is in it, but for functions (they come by themselves) and what is said."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.JoinedStr | ast.Raise | ast.Assert | ast.Import):
        return
    yield node
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in ("annotation", "returns"):
                yield from spoken(child)


def mutants(path: str) -> Iterator[Mutant]:
    """Every mutant of a file."""
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = text.encode().splitlines()
    for node in inside(ast.parse(text)):
        number = getattr(node, "lineno", 0)
        if isinstance(node, ast.If):
            number = node.test.lineno
        elif not number or node.end_lineno != number:  # type: ignore[attr-defined]
            continue
        line = lines[number - 1]
        for operator, (start, stop), new in changes(node, line):
            changed = line[:start] + new.encode() + line[stop:]
            yield Mutant(path, number, operator, line.decode(), changed.decode())


def of_wing(wing: str) -> list[Mutant]:
    """All mutants of a wing, each once, in order."""
    folder = ROOT / wing.replace(".", "/")
    found = (m for path in sorted(folder.rglob("*.py")) for m in mutants(str(path.relative_to(ROOT))))
    return list(dict.fromkeys(found))


def drawn(found: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """Some mutants, each operator as likely as the others: most places are numbers."""
    draw, kinds = random.Random(seed), sorted({m.operator for m in found})
    left = {kind: draw.sample(mine := [m for m in found if m.operator == kind], len(mine)) for kind in kinds}
    chosen: list[Mutant] = []
    while len(chosen) < count and any(left.values()):
        kind = draw.choice([kind for kind in kinds if left[kind]])
        mutant = left[kind].pop()
        chosen += [mutant] if compiles(mutant) else []
    return sorted(chosen, key=lambda m: (m.path, m.line))


def compiles(mutant: Mutant) -> bool:
    """Whether the changed file is Python."""
    try:
        ast.parse(changed(mutant, (ROOT / mutant.path).read_text(encoding="utf-8")))
    except SyntaxError:
        return False
    return mutant.was != mutant.now


def changed(mutant: Mutant, text: str) -> str:
    """A file's text with the line changed. Raises ValueError where another line stands there."""
    lines = text.splitlines(keepends=True)
    if lines[mutant.line - 1].rstrip("\n") != mutant.was:
        raise ValueError(f"{mutant.path}:{mutant.line}: is another line by now")
    lines[mutant.line - 1] = lines[mutant.line - 1].replace(mutant.was, mutant.now, 1)
    return "".join(lines)


def wing_of(path: str) -> str:
    """The wing a file stands in."""
    return ".".join(Path(path).parts[:2])


def suite(wing: str, first: str = "") -> list[str]:
    """Test files of a wing; in front the one that is named as a file of it."""
    folder = ROOT / "tests" / wing.replace(".", "/")
    found = [str(p.relative_to(ROOT)) for p in sorted(folder.rglob("test_*.py"))] + list(ALSO.get(wing, ()))
    return sorted(found, key=lambda test: Path(test).stem != f"test_{Path(first).stem}")


def copied(home: Path) -> None:
    """Copy the checkout: what git tracks and what it would."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, home / name)


def fails(home: Path, tests: list[str], limit: float) -> bool:
    """Whether a test fails, or all of them do not end in `limit` seconds."""
    words = ["-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow and not ray and not media", *tests]
    surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.Popen(
        [sys.executable, *words], cwd=home, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        return run.wait(limit) != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()


def fate(home: Path, mutant: Mutant, limit: float) -> str:
    """Killed, survived, or known to be equivalent."""
    if (mutant.path, mutant.now.strip()) in EQUIVALENT:
        return "equivalent"
    path = home / mutant.path
    before = path.read_text(encoding="utf-8")
    path.write_text(changed(mutant, before), encoding="utf-8")
    try:
        return "killed" if fails(home, suite(wing_of(mutant.path), mutant.path), limit) else "survived"
    finally:
        path.write_text(before, encoding="utf-8")


def limits(home: Path, wings: list[str]) -> dict[str, float]:
    """Seconds that a wing's tests may take, from what they take unchanged. Ends the program if one fails then."""
    found = {}
    for wing in wings:
        began = time.monotonic()
        if not suite(wing) or fails(home, suite(wing), 3600):
            sys.exit(f"{wing}: has no tests, or they fail before anything is changed")
        found[wing] = 60 + 5 * (time.monotonic() - began)
    return found


def main() -> int:
    """Change, run, print; 1 if a mutant survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=int(time.time()) // 86400, help="which mutants [today's]")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--wing", action="append", choices=WINGS, help="may be given again [the cheap ones]")
    asked = parser.parse_args()
    os.nice(5)
    found = [m for wing in asked.wing or CHEAP for m in of_wing(wing)]
    chosen = drawn(found, asked.count, asked.seed)
    print(f"seed {asked.seed}: {len(chosen)} of {len(found)} mutants", flush=True)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copied(home := Path(folder))
        allowed = limits(home, sorted({wing_of(m.path) for m in chosen}))
        fates = []
        for mutant in chosen:
            fates.append(fate(home, mutant, allowed[wing_of(mutant.path)]))
            print(f"{fates[-1]:<11}{mutant.operator:<13}{mutant}", flush=True)
    print(", ".join(f"{fates.count(kind)} {kind}" for kind in ("killed", "survived", "equivalent")))
    return int("survived" in fates)


if __name__ == "__main__":
    sys.exit(main())
