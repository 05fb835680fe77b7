"""What `deploy/` says fits together: the manifest, the image recipe, Dask's own commands, the page.

The manifest was also held against the operator's own schema, which is not ours to keep:
`docs/cluster.md` says how.
"""

from __future__ import annotations

import ast
import re
import tomllib
from copy import deepcopy
from pathlib import Path

import pytest
from distributed.cli import dask_scheduler, dask_worker
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]
COMMANDS = {"worker": dask_worker.main, "scheduler": dask_scheduler.main}


@pytest.fixture(scope="module")
def recipe():
    """Return the text of the image's recipe."""
    return (ROOT / "deploy" / "Dockerfile").read_text("utf-8")


@pytest.fixture
def manifest():
    """Return the manifest, to be read or planted with a defect."""
    return deepcopy(YAML(typ="safe").load(ROOT / "deploy" / "dask-cluster.yaml"))


def defects(manifest, recipe):
    """Return what does not fit, a sentence each."""
    spec, said = manifest["spec"], []
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    for role, command in COMMANDS.items():
        pod = spec[role]["spec"]
        (container,) = pod["containers"]
        program, word, *options = container["args"]
        if (program, word) != ("dask", role):
            said.append(f"{role}: starts {program} {word}")
        # Dask keeps what it does not know for modules that are loaded first: there are none.
        known = command.make_context(role, options).params
        if unknown := [*known["preload_argv"], *filter(None, [known.get("scheduler")])]:
            said.append(f"{role}: no option of Dask's: {' '.join(unknown)}")
        if not container["image"].endswith(f"/agentaskit-sim:{version}"):
            said.append(f"{role}: the image is not of version {version}")
        if f"--uid {pod['securityContext']['runAsUser']} " not in recipe:
            said.append(f"{role}: the image has no such user")
    (container,) = spec["scheduler"]["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    asked = [container["readinessProbe"]["httpGet"]["port"]]
    asked += [port["targetPort"] for port in spec["scheduler"]["service"]["ports"]]
    said += [f"no port is called {name}" for name in asked if name not in ports]
    if (
        spec["scheduler"]["service"]["selector"]["dask.org/cluster-name"]
        != (manifest["metadata"]["name"])
    ):
        said.append("the service selects another cluster")
    return said


def test_the_manifest_fits_the_image_and_the_commands_that_it_starts(manifest, recipe):
    """Version, user, ports; each option is one that Dask knows."""
    assert defects(manifest, recipe) == []


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (lambda spec: spec["worker"]["spec"]["containers"][0]["args"].append("--cores"),
         "worker: no option of Dask's: --cores"),
        (lambda spec: spec["worker"]["spec"]["containers"][0].update(image="x/agentaskit-sim:9"),
         "worker: the image is not of version"),
        (lambda spec: spec["scheduler"]["spec"]["securityContext"].update(runAsUser=7),
         "scheduler: the image has no such user"),
        (lambda spec: spec["scheduler"]["service"]["ports"][0].update(targetPort="tcp"),
         "no port is called tcp"),
        (lambda spec: spec["scheduler"]["service"]["selector"].update(
            {"dask.org/cluster-name": "x"}), "the service selects another cluster"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_noticed(manifest, recipe, plant, said):
    """One defect each."""
    plant(manifest["spec"])
    (only,) = defects(manifest, recipe)
    assert only.startswith(said)


def test_the_image_is_built_of_files_that_are_there_and_compiles_what_exists(recipe):
    """The recipe copies files of the checkout, and its one line of Python imports our names."""
    for copied in re.findall(r"^COPY (\S+)", recipe, re.MULTILINE):
        assert (ROOT / copied).exists()
    (line,) = re.findall(r'python -c "([^"]+)"', recipe)
    for node in ast.walk(ast.parse(line)):
        if isinstance(node, ast.ImportFrom):
            source = (ROOT / (node.module.replace(".", "/") + ".py")).read_text("utf-8")
            assert all(f"class {alias.name}" in source for alias in node.names)


def test_the_page_names_the_image_of_the_manifest(manifest):
    """What is built by hand is what the cluster starts."""
    page = (ROOT / "docs" / "cluster.md").read_text("utf-8")
    image = manifest["spec"]["worker"]["spec"]["containers"][0]["image"]
    assert f"docker build -t {image} -f deploy/Dockerfile ." in page
