"""Maven artifacts -> a cached folder with their jars and all that they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e.components.cache import Recipe, cached
from e2e.components.commands import run
from e2e.components.packages import require

_MAVEN = ("mvn", "--batch-mode", "--quiet")
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_PROJECT = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>dev.penstock</groupId><artifactId>components</artifactId>
<version>1</version>
<dependencies>{dependencies}</dependencies>
</project>
"""
_DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One jar of Maven Central by its coordinates."""

    group: str
    name: str
    version: str


def jars(name: str, artifacts: Sequence[Artifact]) -> Path:
    """The folder with the jars of these artifacts and of their run time dependencies."""
    recipe = Recipe(name, artifacts[0].version, (repr(artifacts), _PLUGIN), "about a minute of downloads")
    return cached(recipe, lambda folder: _download(artifacts, folder))


def _download(artifacts: Sequence[Artifact], folder: Path) -> None:
    require({"maven": "mvn"})
    dependencies = "".join(_DEPENDENCY.format(one.group, one.name, one.version) for one in artifacts)
    project = folder / "pom.xml"
    project.write_text(_PROJECT.format(dependencies=dependencies), encoding="utf-8")
    options = [f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    run([*_MAVEN, "-f", project, _PLUGIN, *options], folder)
    project.unlink()
