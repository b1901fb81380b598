"""The pages are true: what they name exists, and what exists stands in them. Commands, options, codes, links, files."""

import ast
import importlib.util
import re
import shlex

import click
import pytest
from click.testing import CliRunner

from colorizer.basis.errors import ColorizeError
from colorizer.networks.shipped import names
from pipeline.collection.manifest import COLUMNS
from pipeline.containers.profiles import PROFILES, usual_profiles
from tests.checkout import ROOT, WINGS, files
from workflows.commands import cli

PLACES = "*.md", "docs/**/*.md", "findings/**/*.md", "colorizer/weights/*.md"
PAGES = sorted(path for place in PLACES for path in ROOT.glob(place))
"""Everything that a person reads."""

GUIDES = [path for path in PAGES if path.name != "CHANGELOG.md"]
"""Pages about what is; the other one is about what was."""

CODES = ROOT / "docs" / "exit-codes.md"
OUTSIDE = {129, 137, 143}
"""Exit codes that a shell makes of signals."""


def made():
    """The script that makes pages from code."""
    spec = importlib.util.spec_from_file_location("made", ROOT / "docs" / "made.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = made()
COMMANDS = dict(MADE.commands())
"""Every command by the words that are typed, as `plan show`."""


def name(path):
    """A page's path for people, and for the names of tests."""
    return path.relative_to(ROOT).as_posix()


def read(path):
    """A page's text."""
    return path.read_text(encoding="utf-8")


def blocks(text):
    """The lines of fenced code, continued ones joined, without fences."""
    fenced = "\n".join(re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    return re.sub(r"\\\n\s*", "", fenced).splitlines()


def prose(text):
    """A page without its fenced code."""
    return re.sub(r"^```[^\n]*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def spans(text):
    """Code within sentences and tables."""
    return [span.replace("\\|", "|") for span in re.findall(r"`([^`\n]+)`", prose(text))]


def typed(text):
    """Words of every line of fenced code that calls this program, up to a pipe or the next command."""
    for line in blocks(text):
        words = shlex.split(line, comments=True) if "chromatheque " in line else []
        if "chromatheque" in words[:2]:  # behind a path or `nohup`, say
            words = words[words.index("chromatheque") + 1 :]
            stops = [place for place, word in enumerate(words) if word in ("|", ">", "&&", ";")]
            yield words[: stops[0]] if stops else words


def called(words):
    """(name, command, rest) of what is typed: `plan show X` is the command `plan show`."""
    for count in (2, 1):
        if (found := " ".join(words[:count])) in COMMANDS:
            return found, COMMANDS[found], words[count:]
    raise click.UsageError(f"no command {' '.join(words[:1])!r}")


def top():
    """The command's own context. With another one click would remember for good that `-h` is no help option."""
    return click.Context(cli.cli, **cli.cli.context_settings)


def parse(words):
    """Refuse what click would; files need not be there. Raises UsageError."""
    if words[0].startswith("-"):
        cli.cli.make_parser(top()).parse_args(list(words))
        return
    found, command, rest = called(words)
    context = click.Context(command, info_name=found, parent=top())
    given, left, _ = command.make_parser(context).parse_args(list(rest))
    if left and not isinstance(command, click.Group):
        raise click.UsageError(f"{found}: too much: {' '.join(left)}")
    for param in command.params:
        value = given.get(param.name)
        if param.required and not (isinstance(value, str | tuple) and value):
            raise click.UsageError(f"{found}: {param.name} is missing")
        if isinstance(value, str | tuple) and not isinstance(param.type, click.Path):
            param.type_cast_value(context, value)
    if found == "submit":
        parse(list(given["words"]))


def flags(command):
    """Every spelling of a command's options, `--help` too."""
    options = [param for param in command.params if isinstance(param, click.Option)]
    return {"--help", "-h"} | {flag for option in options for flag in (*option.opts, *option.secondary_opts)}


def unknown(span):
    """Options that a piece of code names and this program lacks; of another program's line, none."""
    words = span.split()
    if words[:1] == ["chromatheque"]:
        words = words[1:]
    known = set().union(*(flags(command) for command in COMMANDS.values())) | {"--version"}
    try:
        found, command, _ = called(words) if words and not words[0].startswith("-") else ("", None, [])
    except click.UsageError:
        return []
    known = flags(command) if found else known
    return [word for word in re.findall(r"(?<![\w-])--[a-z][a-z-]*", span) if word not in known]


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    for heading in re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower().strip()).replace(" ", "-")


def links(path):
    """(target, anchor) of a page's links into the repository; the target is a path."""
    text = re.sub(r"`[^`\n]*`", "", prose(read(path)))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield (path.parent / file).resolve() if file else path, anchor


@pytest.mark.parametrize("made", ["command_line", "layout"])
def test_pages_made_from_code_are_up_to_date(made):
    """`make docs` would change nothing."""
    page = {"command_line": MADE.COMMAND_LINE, "layout": MADE.LAYOUT}[made]
    assert read(page) == getattr(MADE, made)(), f"{name(page)} is behind the code: make docs"


def test_the_map_names_every_file():
    """Each file of a wing has a line that says what it is; the wings stand in their order; nothing else is named."""
    text = read(MADE.LAYOUT)
    wings = re.findall(r"^### \d+\. (\S+)$", text, re.MULTILINE)
    assert wings == [wing.replace(".", "/") for wing in WINGS]
    named = {
        f"{wing}/{file}"
        for wing, section in zip(wings, re.split(r"^### .*$", text, flags=re.MULTILINE)[1:], strict=True)
        for file, what in re.findall(r"^\| `([^`]+\.py)` \| (.*) \|$", section, re.MULTILINE)
        if what.strip()
    }
    there = {path for path in files("colorizer", "pipeline", "workflows") if path.count("/") > 1}
    assert named == {path for path in there if not path.endswith("__init__.py")}


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_and_option_stands_in_a_page(words):
    """Commands in pages that people wrote, too; options at least in the list of all of them."""
    written = [read(path) for path in GUIDES if path != MADE.COMMAND_LINE]
    typed_there = [line for text in written for line in (*blocks(text), *spans(text))]
    verb = words.split()[-1]
    assert any(re.search(rf"(?<![\w-]){words}(?![\w-])", line) or line.strip() == verb for line in typed_there), words
    listed = read(MADE.COMMAND_LINE)
    section = re.split(r"^##+ ", listed[listed.index(f"# {words}\n") :], flags=re.MULTILINE)[0:2]
    for option in MADE.options(COMMANDS[words]):
        assert option.help, f"{words} {option.opts[0]} has no help"
        assert all(re.search(rf"[` ]{flag}\b", "".join(section)) for flag in option.opts), option.opts


@pytest.mark.parametrize("path", GUIDES, ids=name)
def test_what_is_typed_in_a_page_can_be_typed(path):
    """Every line of code that calls this program names a command, options and values that it takes."""
    for words in typed(read(path)):
        try:
            parse(words)
        except click.UsageError as error:
            pytest.fail(f"{name(path)}: chromatheque {' '.join(words)}: {error.message}")


@pytest.mark.parametrize("path", GUIDES, ids=name)
def test_options_named_in_sentences_exist(path):
    """Behind a command's name an option of that command, alone an option of any."""
    wrong = {span: found for span in spans(read(path)) if (found := unknown(span))}
    assert not wrong


def codes_in(tree):
    """Numbers that a file ends with: what `Exit(...)` and `sys.exit(...)` are given, names of constants looked up."""
    named = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("Exit", "exit"):
            todo = list(node.args)
            while todo:
                one = todo.pop()
                if isinstance(one, ast.IfExp):
                    todo += [one.body, one.orelse]
                elif isinstance(one, ast.Constant) and type(one.value) is int:
                    yield one.value
                elif isinstance(one, ast.Name) and one.id in named:
                    yield named[one.id]


def test_the_page_of_exit_codes_has_those_of_the_code():
    """No more and no fewer; every other page names only those."""
    trees = [ast.parse(read(ROOT / path)) for path in files("workflows")]
    code = {number for tree in trees for number in codes_in(tree)}
    rows = {int(number) for number in re.findall(r"^\| (\d+) \|", read(CODES), re.MULTILINE)}
    assert rows == code | OUTSIDE
    for path in GUIDES:
        said = re.findall(r"[Ee]xit codes?:? (?:is |are )?(\d+)|[Ee]xits (\d+)", read(path))
        assert {int(one or other) for one, other in said} <= rows, name(path)


@pytest.fixture
def ended(monkeypatch, capsys):
    """Runs `main` in this process and gives the exit code and what was said on stderr."""

    def run(*words):
        monkeypatch.setattr("sys.argv", ["chromatheque", *map(str, words)])
        monkeypatch.setattr("workflows.terminal.stopping.install", lambda: None)  # signals are for the tests' process
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return stopped.value.code or 0, capsys.readouterr().err

    return run


def test_exit_codes_are_as_the_page_says(ended, monkeypatch, tmp_path):
    """0, 1, 2 and 130, of commands that end at once; a bug keeps its traceback."""
    assert ended("--version") == (0, "")
    assert ended("doctor", "--help")[0] == 0
    for name in ("a.mkv", "b.mkv"):
        (tmp_path / name).write_bytes(b"no film")
    code, said = ended("verify", tmp_path / "a.mkv", tmp_path / "b.mkv")
    assert (code, len(said.splitlines())) == (1, 1)
    (tmp_path / "empty").mkdir()
    slips = (
        (), ("paint",), ("reel", "a"), ("reel", "a", "b", "--fast"), ("archive", tmp_path, "b", "--deadline", "9"),
        ("archive", tmp_path / "empty", tmp_path / "out"), ("archive", tmp_path / "none", tmp_path / "out"),
        ("reel", tmp_path / "none.mkv", tmp_path / "out.mkv"), ("scan", tmp_path / "a.mkv", tmp_path / "out.gif"),
    )  # fmt: skip
    assert [ended(*words)[0] for words in slips] == [2] * len(slips)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("workflows.commands.doctor.examine", interrupted)
    code, said = ended("doctor")
    assert (code, said.strip()) == (130, "Stopped.")
    monkeypatch.setattr("workflows.commands.doctor.examine", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ended("doctor")


@pytest.mark.parametrize(
    ("aside", "left", "late", "wanted"), [(0, 0, False, 0), (0, 2, True, 3), (1, 0, False, 1), (1, 2, True, 3)]
)
def test_exit_codes_of_a_collection(ended, monkeypatch, tmp_path, aside, left, late, wanted):
    """0: all is done, 3: the deadline came with work left, 1: something is set aside; 3 wins over 1."""
    from pipeline.collection.schedule import Night

    night = Night(1, aside, left, late, 1.0, 1.0)
    monkeypatch.setattr("pipeline.collection.run.color", lambda *_: (night, []))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.tif").touch()
    assert ended("archive", tmp_path / "in", tmp_path / "out")[0] == wanted


@pytest.mark.parametrize(("status", "code", "wanted"), [("SUCCEEDED", 0, 0), ("FAILED", 3, 3), ("STOPPED", None, 1)])
def test_following_ends_as_the_job_did(ended, monkeypatch, status, code, wanted):
    """`logs --follow` has the exit code of the job, 1 where that has none; 130 when the following is stopped."""
    from types import SimpleNamespace

    job = SimpleNamespace(status=status, code=code, message="", seconds=1.0)
    queue = SimpleNamespace(job=lambda _: job, follow=lambda _: iter(()), logs=lambda _: "", address="http://head:8265")
    monkeypatch.setattr("workflows.commands.cluster_jobs.open_queue", lambda _: queue)
    assert ended("logs", "x", "--follow", "--address", "http://head:8265")[0] == wanted

    def stopped(_):
        raise KeyboardInterrupt

    queue.follow = stopped
    code, said = ended("logs", "x", "--follow", "--address", "http://head:8265")
    assert (code, "goes on" in said) == (130, True)


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path):
    """Every link into the repository names a file that is there, and a heading that its page has."""
    for target, anchor in links(path):
        assert target.exists(), f"{name(path)}: no {target}"
        assert target.is_relative_to(ROOT), f"{name(path)}: {target} is outside"
        if anchor:
            assert target.suffix == ".md", f"{name(path)}: #{anchor}"
            assert anchor in set(anchors(read(target))), f"{name(path)}: {name(target)} has no #{anchor}"


def test_files_named_in_pages_are_there():
    """A path below the packages, the tests or the pages, in a sentence, on a model card or in CITATION.cff."""
    cited = re.findall(r"\(((?:colorizer|pipeline|workflows)/[^)]+)\)", read(ROOT / "CITATION.cff"))
    tests = {path.name for path in (ROOT / "tests").rglob("*.py")}
    assert cited
    assert not [path for path in cited if not (ROOT / path).is_file()]
    for page in GUIDES:
        for span in spans(read(page)):
            if re.fullmatch(r"(colorizer|pipeline|workflows|tests|docs|findings)/[\w./-]+", span):
                assert (ROOT / span).exists(), f"{name(page)}: {span}"
            assert not re.fullmatch(r"test_\w+\.py", span) or span in tests, f"{name(page)}: {span}"


def table(page, first):
    """Words in code of the first cells of a page's table whose head begins with `first`, and the rows' other cells."""
    rows = read(ROOT / page).partition(f"| {first} |")[2].partition("\n\n")[0].splitlines()[2:]
    return {word: row for row in rows for word in re.findall(r"`([^`]+)`", row.split(" | ")[0])}


def test_tables_have_what_the_code_has():
    """Columns of a manifest, weights that ship, profiles with their suffixes and the loss that they may have."""
    assert set(table("docs/collections.md", "column")) == set(COLUMNS)
    assert set(table("docs/models.md", "name")) == set(names())
    others = table("docs/reels.md", "`--profile`")
    usual = usual_profiles()
    for suffix, profile in usual.items():
        [row] = [row for row in read(ROOT / "docs" / "reels.md").splitlines() if row.startswith(f"| {suffix} | ")]
        assert f"| {profile.name} |" in row
        assert profile.lossless or f"{profile.psnr:g} dB" in row
    assert set(others) == set(PROFILES) - {"archive", "mezzanine", "access"}
    for profile in (PROFILES[name] for name in others):
        assert f"| {', '.join(profile.suffixes)} |" in others[profile.name]
        assert f"{profile.psnr:g} dB" in others[profile.name]


def test_the_version_to_cite_is_this_one():
    """CITATION.cff has the version of the package."""
    [version] = re.findall(r'^version = "(.+)"$', read(ROOT / "pyproject.toml"), re.MULTILINE)
    assert f"\nversion: {version}\n" in read(ROOT / "CITATION.cff")


def test_every_page_can_be_found():
    """From README, by links alone."""
    found, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page not in found and page.suffix == ".md" and page.is_file():
            found.add(page)
            todo += [target for target, _ in links(page)]
    assert {name(path) for path in PAGES} <= {name(path) for path in found}


def test_readme_is_short():
    """One sitting: about 6 KB. What does not fit has a page."""
    assert len((ROOT / "README.md").read_bytes()) <= 6500


def test_hooks_have_the_pinned_versions():
    """What looks at a commit is what `make test` runs."""
    [pinned] = re.findall(r"^ruff==(\S+)$", read(ROOT / "constraints.txt"), re.MULTILINE)
    assert f"rev: v{pinned}\n" in read(ROOT / ".pre-commit-config.yaml")


def mistakes():
    """Pages with one mistake each, and how they are met."""
    return {
        "```sh\nchromatheque reel a.mov b.mkv --worker 2\n```": "No such option",
        "```sh\nchromatheque paint a.mov b.mkv\n```": "no command",
        "```sh\nchromatheque reel a.mov\n```": "missing",
        "```sh\nchromatheque scan a.tif b.tif --tile many\n```": "not a valid integer",
        "```sh\nchromatheque submit -- archive /a\n```": "missing",
        "```sh\nchromatheque verify a b c\n```": "too much",
    }


@pytest.mark.parametrize("text", mistakes())
def test_a_mistake_in_a_page_is_met(text):
    """The reading above can fail: it meets a wrong option, command, value, and a missing or needless argument."""
    [words] = typed(text)
    with pytest.raises((click.UsageError, ColorizeError)) as met:
        parse(words)
    assert mistakes()[text] in str(getattr(met.value, "message", met.value))


def test_an_option_that_is_none_is_met():
    """In a sentence too: of a command that lacks it, and of none."""
    assert unknown("--retrys") == ["--retrys"]
    assert unknown("reel --pyramid") == ["--pyramid"]
    assert unknown("archive --pyramid") == unknown("--pyramid") == unknown("pip install --upgrade") == []
    assert CliRunner().invoke(cli.cli, ["reel", "--pyramid"]).exit_code == 2


def test_the_tests_that_pages_name_are_there():
    """A test that stands in a page can be run under that name."""
    there = set(re.findall(r"def (test_\w+)", "\n".join((ROOT / path).read_text() for path in files("tests"))))
    there |= {path.rpartition("/")[2].removesuffix(".py") for path in files("tests")}
    named = {found for page in GUIDES for found in re.findall(r"\b(test_\w+)", read(page))}
    assert len(named) > 10
    assert not named - there
