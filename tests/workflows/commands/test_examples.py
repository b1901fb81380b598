"""The examples that ship: every word in them is one that its program knows, and the Slurm script is run for real."""

import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from workflows.commands.cli import cli

NAMES = ["Dockerfile", "rayjob.yaml", "slurm.sbatch"]
HERE = Path(str(files("workflows"))) / "examples"


def run(*words):
    """The command in this process."""
    return CliRunner().invoke(cli, ["examples", *map(str, words)])


# --- the command


def test_they_are_listed_printed_and_written(tmp_path):
    """A line each; a name alone prints the file; a folder gets one or all, with what is in the package."""
    listed = run()
    assert [line.split()[0] for line in listed.output.splitlines()] == NAMES
    assert all(len(line.split()) > 3 for line in listed.output.splitlines())
    assert run("slurm.sbatch").output == (HERE / "slurm.sbatch").read_text()
    assert run("rayjob.yaml", "--to", tmp_path / "one").exit_code == 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["rayjob.yaml"]
    assert run("--to", tmp_path / "all").output.split() == [str(tmp_path / "all" / name) for name in NAMES]
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == NAMES
    assert all((tmp_path / "all" / name).read_text() == (HERE / name).read_text() for name in NAMES)


def test_what_a_person_changed_is_not_replaced_unasked(tmp_path):
    """One file that is there already keeps all from being written, until --overwrite; unknown names are refused."""
    (tmp_path / "slurm.sbatch").write_text("mine")
    done = run("--to", tmp_path)
    assert done.exit_code == 1
    assert "slurm.sbatch: exists; add --overwrite" in str(done.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["slurm.sbatch"]
    assert (tmp_path / "slurm.sbatch").read_text() == "mine"
    assert run("--to", tmp_path, "--overwrite").exit_code == 0
    assert (tmp_path / "slurm.sbatch").read_text() == (HERE / "slurm.sbatch").read_text()
    assert run("nothing").exit_code == 2


@pytest.mark.slow
def test_a_wheel_carries_them(tmp_path):
    """What is installed from a wheel has the three files; the checkout is left as it was."""
    home = Path(__file__).parents[3]
    tracked = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=home, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a checkout")
    for name in tracked.stdout.splitlines():
        if (home / name).is_file() and not name.endswith(".safetensors"):
            (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(home / name, tmp_path / "src" / name)
    words = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, "."]
    subprocess.run([sys.executable, *map(str, words)], cwd=tmp_path / "src", check=True, timeout=300)
    [wheel] = tmp_path.glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "unpacked", "zip")
    assert sorted(path.name for path in (tmp_path / "unpacked" / "workflows" / "examples").iterdir()) == NAMES


# --- words that their programs know


def check_chromatheque(words):
    """Parse a command as click does; fails on what the command does not know. Paths need not be there."""
    top = click.Context(cli, **cli.context_settings)  # with another one click would forget `-h` for good
    command = cli.get_command(top, words[0])
    assert command is not None, words
    context = click.Context(command, info_name=words[0], parent=top)
    given, rest, _ = command.make_parser(context).parse_args(list(words[1:]))
    assert not rest, rest
    for param in command.params:
        if not isinstance(param.type, click.Path):
            param.handle_parse_result(context, given, [])
    return given


def options_of(program, *words):
    """Every --option in a program's own help."""
    path = Path(sys.executable).with_name(program)
    told = subprocess.run([path, *words, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"--[a-z][a-z-]+", told))


def logical_lines(text):
    """Lines of a shell script without comments, those that go on joined."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return kept.replace("\\\n", " ").splitlines()


def test_the_jobs_command_is_one():
    """The RayJob's entrypoint is an archive command that click takes, over the cluster, with JSON lines."""
    words = shlex.split(job()["spec"]["entrypoint"])
    assert words[:2] == ["chromatheque", "archive"]
    given = check_chromatheque(words[1:])
    assert (given["ray"], given["progress"]) == ("auto", "json")
    assert not set(job()["spec"]["entrypoint"]) & set("|;&<>$`'\"\\\n"), "the operator puts it into a shell's line"


def test_the_scripts_commands_are_ones():
    """Each chromatheque line of the Slurm script parses with variables as words; `ray start` knows every option."""
    known, seen = options_of("ray", "start"), set()
    text = (HERE / "slurm.sbatch").read_text()
    numbers = re.sub(r"\$\(\([^()]*(\([^()]*\))?[^()]*\)\)", "7", text)  # $((base + 1))
    for line in logical_lines(numbers):
        if line.startswith("chromatheque "):
            words = shlex.split(line.replace('"$workers"', "4").replace('"${@:3}"', "").removesuffix("&"))
            given = check_chromatheque(words[1:])
            assert given["progress"] == "json"
            seen.add("chromatheque")
        elif "ray start " in line:
            seen |= set(re.findall(r"--[a-z][a-z-]+", line.partition("ray start ")[2]))
    arrays = re.findall(r"^(?:ports|common)=\((.*?)\)$", numbers, re.MULTILINE | re.DOTALL)
    assert len(arrays) == 2
    started = seen - {"chromatheque"} | set(re.findall(r"--[a-z][a-z-]+", " ".join(arrays)))
    assert "chromatheque" in seen
    assert {"--head", "--address", "--port", "--temp-dir", "--num-gpus", "--block", "--node-manager-port"} <= started
    assert started <= known, started - known
    assert "ray stop" not in "\n".join(logical_lines(text))


def test_the_other_files_words_are_known_too():
    """The parameters of `ray start` in the manifest are options of it; so is what the Dockerfile asks of pip."""
    known = options_of("ray", "start")
    groups = [job()["spec"]["rayClusterSpec"]["headGroupSpec"], *job()["spec"]["rayClusterSpec"]["workerGroupSpecs"]]
    for group in groups:
        assert {f"--{name}" for name in group["rayStartParams"]} <= known
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
    pip = subprocess.run([sys.executable, "-m", "pip", "install", "--help"], capture_output=True, text=True).stdout
    for line in logical_lines((HERE / "Dockerfile").read_text()):
        for command in re.findall(r"pip install ([^;&]*)", line):
            assert all(word in pip for word in shlex.split(command) if word.startswith("--")), command


# --- the manifest


def job():
    """The manifest, parsed."""
    [document] = yaml.safe_load_all((HERE / "rayjob.yaml").read_text())
    return document


SPEC = {
    "activeDeadlineSeconds": int, "backoffLimit": int, "entrypoint": str, "rayClusterSpec": dict,
    "shutdownAfterJobFinishes": bool, "submissionMode": str, "ttlSecondsAfterFinished": int,
}  # fmt: skip
"""Fields of a RayJob's spec that the manifest may use, of KubeRay's v1 types; a misspelled one is none of them."""

CLUSTER = {"rayVersion": str, "authOptions": dict, "headGroupSpec": dict, "workerGroupSpecs": list}
HEAD = {"rayStartParams": dict, "template": dict}
WORKERS = {**HEAD, "groupName": str, "replicas": int, "minReplicas": int, "maxReplicas": int}
CONTAINER = {"name": str, "image": str, "ports": list, "resources": dict, "volumeMounts": list}


def fits(value, fields):
    """Every field is known and of its kind."""
    assert {name: fields[name] for name in value} == {name: type(held) for name, held in value.items()}


def test_the_manifest_is_a_rayjob():
    """Names and kinds of all fields are those of ray.io/v1."""
    document = job()
    assert (document["apiVersion"], document["kind"]) == ("ray.io/v1", "RayJob")
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", document["metadata"]["name"])
    assert len(document["metadata"]["name"]) <= 47, "the operator makes longer names of it"
    spec = document["spec"]
    fits(spec, SPEC)
    fits(spec["rayClusterSpec"], CLUSTER)
    fits(spec["rayClusterSpec"]["headGroupSpec"], HEAD)
    for group in spec["rayClusterSpec"]["workerGroupSpecs"]:
        fits(group, WORKERS)
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    for template in templates():
        assert set(template["spec"]) == {"containers", "volumes"}
        for container in template["spec"]["containers"]:
            fits(container, CONTAINER)


def templates():
    """Of the head's pod and the workers'."""
    cluster = job()["spec"]["rayClusterSpec"]
    return [group["template"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


def test_the_night_survives_there_and_its_gpus_are_given_back():
    """A lost head is begun again; at the end the cluster goes within minutes; the cluster wants a token."""
    spec = job()["spec"]
    assert spec["submissionMode"] == "K8sJobMode"
    assert spec["backoffLimit"] >= 1
    assert spec["shutdownAfterJobFinishes"] is True
    assert spec["ttlSecondsAfterFinished"] <= 600, "so long GPUs wait for nothing"
    assert spec["rayClusterSpec"]["authOptions"] == {"mode": "token"}


def test_all_pods_see_the_collection_under_one_path():
    """The same claim at the same path in every container, above both folders of the command; one image for all."""
    mounts, images = set(), set()
    for template in templates():
        claims = {
            volume["name"]: volume["persistentVolumeClaim"]["claimName"] for volume in template["spec"]["volumes"]
        }
        [container] = template["spec"]["containers"]
        images.add(container["image"])
        mounts.add(tuple((claims[mount["name"]], mount["mountPath"]) for mount in container["volumeMounts"]))
        assert container["resources"]["requests"] == container["resources"]["limits"]
    assert len(images) == 1
    [[(_, path)]] = mounts
    given = check_chromatheque(shlex.split(job()["spec"]["entrypoint"])[1:])
    assert all(given[name].startswith(f"{path}/") for name in ("source", "out"))


def test_there_is_a_worker_for_every_gpu():
    """--workers is the number of GPUs in the workers' pods, which CPUs suffice for; the head takes part in nothing."""
    cluster = job()["spec"]["rayClusterSpec"]
    gpus = cpus = 0
    for group in cluster["workerGroupSpecs"]:
        [container] = group["template"]["spec"]["containers"]
        gpus += group["replicas"] * int(container["resources"]["limits"]["nvidia.com/gpu"])
        cpus += group["replicas"] * int(container["resources"]["limits"]["cpu"])
    given = check_chromatheque(shlex.split(job()["spec"]["entrypoint"])[1:])
    assert int(given["workers"]) == gpus <= cpus
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_the_image_is_made_of_what_the_package_is_made_of(tmp_path):
    """What the Dockerfile copies is in a checkout, and pip makes the package of it and nothing more."""
    for line in logical_lines((HERE / "Dockerfile").read_text()):
        if line.startswith("COPY "):
            *sources, target = line.split()[1:]
            for source in sources:
                assert (HERE.parents[1] / source).exists(), source
                place = Path(target) / source if target.endswith("/") else Path(target)
                copied = tmp_path / place.relative_to("/tmp/chromatheque")
                copied.symlink_to(HERE.parents[1] / source)
    words = ["-m", "pip", "install", "--dry-run", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    done = subprocess.run(
        [sys.executable, *words, tmp_path / "none", tmp_path], capture_output=True, text=True, check=False, timeout=300
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {"colorizer", "pipeline", "workflows"} < {path.name for path in tmp_path.iterdir()}


def test_every_file_names_the_ray_that_is_tested():
    """The image's Ray and the manifest's are one, and the one that this package is pinned to."""
    pinned = re.search(r"^ray==(\S+)$", (HERE.parents[1] / "constraints.txt").read_text(), re.MULTILINE)[1]
    assert job()["spec"]["rayClusterSpec"]["rayVersion"] == pinned == version("ray")
    text = (HERE / "Dockerfile").read_text()
    assert re.search(r"^ARG RAY=(\S+)$", text, re.MULTILINE)[1] == pinned
    assert set(re.findall(r"ray-([\d.]+\d)", text + (HERE / "rayjob.yaml").read_text())) == {pinned}
