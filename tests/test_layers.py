"""Who may import whom, what an import costs, and that everything public says what it is."""

import ast
from pathlib import Path

import pytest

from tests.checkout import ROOT, ROOTS, WINGS, files, fresh

OUTSIDE = {
    "colorizer": {"av", "tifffile", "ray", "click", "rich"},
    "pipeline": {"click", "rich"},
    "workflows": set(),
}
"""Libraries that a package does without."""

RAY = {
    "pipeline/spread/pools.py", "pipeline/spread/crew.py", "pipeline/spread/ray_training.py",
    "pipeline/spread/ray_jobs.py", "pipeline/spread/ray_metrics.py",
}  # fmt: skip
"""The only files that may name Ray."""


def imported(path):
    """Top-level names of everything a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            first = node.args[0] if node.args else None
            if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
                found.add(str(first.value).partition(".")[0])
    return found


def modules():
    """Every module of the product by its dotted name, and its file."""
    return {
        ".".join(Path(path).with_suffix("").parts).removesuffix(".__init__"): path for path in files(*ROOTS)
    }  # fmt: skip


def arrows():
    """(importing, imported) for all imports between the product's modules, inside functions and for types too."""
    known = modules()
    found = set()
    for name, path in known.items():
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            wanted = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                wanted = [f"{node.module}.{alias.name}" for alias in node.names]
            for full in wanted:
                while full and full not in known:
                    full = full.rpartition(".")[0]
                if full and full != name:
                    found.add((name, full))
    return found


def wing(module):
    """The wing of a module; of a package's root its own name."""
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize("path", files(*ROOTS))
def test_a_package_does_without_what_is_not_its_own(path):
    """colorizer knows no media, Ray or command line; pipeline no command line and no terminal."""
    assert not imported(path) & OUTSIDE[path.partition("/")[0]]


@pytest.mark.parametrize("path", files("colorizer", "pipeline"))
def test_what_a_person_sees_is_not_written_below(path):
    """Neither library prints, nor writes to stdout or stderr: they raise, return, or tell a listener."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        printing = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        stream = (
            isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr") and ast.unparse(node)[:4] == "sys."
        )
        assert not printing, f"{path}:{node.lineno}"
        assert not stream, f"{path}:{node.lineno}"


def test_every_file_stands_in_a_wing():
    """Beside the wings of a package lie its `__init__.py` and, for `python -m workflows`, `__main__.py`."""
    beside = {path for name, path in modules().items() if wing(name) not in WINGS}
    assert beside <= {*(f"{root}/__init__.py" for root in ROOTS), "workflows/__main__.py"}
    assert {wing(name) for name in modules()} >= set(WINGS)


def test_a_wing_imports_only_those_before_it():
    """Nothing is imported upward. What a package exports at its root is for others: no wing imports it from there."""
    place = {name: number for number, name in enumerate(WINGS)}
    inside = [(a, b) for a, b in arrows() if wing(a) in place]
    assert not [(a, b) for a, b in inside if wing(b) not in place]
    assert not [(a, b) for a, b in inside if place[wing(b)] > place[wing(a)]]


def test_rich_has_one_room():
    """Bars and tables are made by the terminal wing alone; commands hand it values."""
    assert {wing(name) for name, path in modules().items() if "rich" in imported(path)} == {"workflows.terminal"}


def test_no_files_import_one_another_in_a_circle():
    """Every file can be read after those that it imports; a file counts as imported inside functions too."""
    left = arrows()
    while True:
        importing = {a for a, _ in left}
        rest = {(a, b) for a, b in left if b in importing}
        if rest == left:
            break
        left = rest
    assert not left


def test_tests_stand_where_their_modules_do():
    """Tests of a package lie in folders named as its wings."""
    for path in files("tests/colorizer", "tests/pipeline", "tests/workflows"):
        parts = Path(path).parts
        assert len(parts) == 3 or ".".join(parts[1:3]) in WINGS, path


@pytest.mark.parametrize("path", files("tests"))
def test_nothing_is_imported_from_a_test(path):
    """What several tests share is a module of its own: running one of them does not load another's."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name.name}" for name in node.names]
        taken = [name for name in names if any(part.startswith("test_") for part in name.split(".")[:-1])]
        taken += [name for name in names if name.startswith("tests.") and name.rpartition(".")[2].startswith("test_")]
        assert not taken, f"{path}:{node.lineno}"


def test_ray_has_one_door():
    """Ray is named by the pool, by training on a cluster, by its job queue and metrics; all else is plain Python."""
    assert {path for path in files("colorizer", "pipeline", "workflows") if "ray" in imported(path)} <= RAY
    assert "ray" in imported("pipeline/spread/pools.py")


@pytest.mark.parametrize("path", files("tests"))
def test_no_test_loads_ray_before_its_cluster_is_there(path):
    """Ray keeps how it asks for tokens as it finds that when it is loaded, and the tests' cluster wants one."""
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert "ray" not in {name.partition(".")[0] for name in names}, f"{path}:{node.lineno}"


def test_ray_is_not_loaded_before_it_is_asked_for():
    """Importing the reel path loads no Ray; importing the command line loads no torch either."""
    assert (
        fresh("import sys, workflows.commands.reel, pipeline.jobs.reel_job; print('ray' in sys.modules)").strip()
        == "False"
    )
    loaded = fresh("import sys, workflows.commands.cli; print('torch' in sys.modules, 'av' in sys.modules)")
    assert loaded.split() == ["False", "False"]


def test_a_simulated_worker_is_light():
    """64 of them fit on a laptop: they load neither torch nor codecs."""
    loaded = fresh(
        "import sys, pipeline.spread.pools, workflows.bench.stand_in; print({'torch', 'av'} & {*sys.modules})"
    )
    assert loaded.strip() == "set()"


def test_the_process_apart_is_light():
    """What decodes scans and asks sound in a process of its own loads no torch: a second and 200 MB for each worker."""
    loaded = fresh("import sys, pipeline.reels.heard, pipeline.stills.table; print('torch' in sys.modules)")
    assert loaded.strip() == "False"


def test_imports_are_quick():
    """The reel path's modules take less than 3 s of processor time, libraries included; the best of three counts."""
    code = "import time; import workflows.commands.reel, pipeline.jobs.reel_job; print(time.process_time())"
    spent = []
    while not spent or (min(spent) >= 3 and len(spent) < 3):
        spent.append(float(fresh(code)))
    assert min(spent) < 3


@pytest.mark.parametrize("path", files("pipeline", "workflows"))
def test_frames_are_converted_on_one_thread(path):
    """Every conversion by libswscale asks for one thread: with more, 8 samples of a frame are lost now and then."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reformat":
            threads = [k.value for k in node.keywords if k.arg == "threads"]
            assert [ast.literal_eval(t) for t in threads] == [1], f"{path}:{node.lineno}"


def public(path):
    """(line, name) of a module's public definitions that lack a docstring."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    if not ast.get_docstring(tree) and tree.body:
        yield 1, "the module"
    scopes = [(tree, "", False)]
    while scopes:
        scope, prefix, protocol = scopes.pop()
        for node in scope.body:
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
                continue
            if "overload" in [d.id for d in node.decorator_list if isinstance(d, ast.Name)]:
                continue  # what it does stands in the definition that follows
            plain = node.name in ("forward", "train") and prefix  # torch's own contract
            if not ast.get_docstring(node) and not protocol and not plain:
                yield node.lineno, prefix + node.name
            if isinstance(node, ast.ClassDef):
                scopes.append((node, f"{node.name}.", False))


@pytest.mark.parametrize("path", files("colorizer", "pipeline"))
def test_everything_public_says_what_it_is(path):
    """Every public module, class, function and method of the two libraries has a docstring."""
    assert not [f"{path}:{line}: {name}" for line, name in public(path)]


@pytest.mark.parametrize("path", files(*ROOTS))
def test_md5_is_no_seal(path):
    """Machines in FIPS mode have MD5 only for who says that nothing hangs on it."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("hashlib.md5", "hashlib.sha1", "hashlib.new"):
            assert "usedforsecurity=False" in ast.unparse(node), f"{path}:{node.lineno}"
