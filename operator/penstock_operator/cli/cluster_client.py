"""Reaches a cluster the way kubectl does, for commands that read and write its objects once.

The kubernetes package is imported when a command connects: commands without a cluster start without it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from penstock_operator.resources.explain import nearest
from penstock_operator.resources.kinds import KINDS
from penstock_operator.resources.kube import KubeObject
from penstock_operator.resources.meta import GROUP, VERSION

if TYPE_CHECKING:
    from kubernetes.client import ApiException, CustomObjectsApi

FIELD_MANAGER = "penstock-cli"
_TIMEOUT = (5.0, 30.0)
"""Seconds to connect, and to wait for an answer."""

Command = Callable[..., None]


class Cluster:
    """The objects of one namespace of a cluster; all failures are messages for the user (ClickException)."""

    def __init__(self, api: CustomObjectsApi, server: str, namespace: str) -> None:
        self._api = api
        self._server = server
        self.namespace = namespace

    def get(self, kind: str, name: str) -> KubeObject:
        """One object; where it is not there the message has the name that is most alike."""
        found: KubeObject = self._call("get", kind, name=name)
        return found

    def all_of(self, kind: str, selector: str = "") -> list[KubeObject]:
        """All objects of a kind whose labels fit a selector."""
        arguments = {"label_selector": selector} if selector else {}
        items = self._call("list", kind, **arguments)["items"]
        return [{"apiVersion": "/".join(_place(kind)[:2]), "kind": kind, **item} for item in items]

    def create(self, resource: KubeObject, dry_run: bool = False) -> None:
        """Make an object."""
        self._call("create", resource["kind"], body=resource, **_writing(dry_run))

    def replace(self, resource: KubeObject, dry_run: bool = False) -> None:
        """Write an object anew, if nobody has since it was read."""
        name = resource["metadata"]["name"]
        self._call("replace", resource["kind"], name=name, body=resource, **_writing(dry_run))

    def delete(self, resource: KubeObject, dry_run: bool = False) -> None:
        """Delete an object, if nobody has changed it since it was read."""
        metadata = resource["metadata"]
        body: KubeObject = {"kind": "DeleteOptions", "apiVersion": "v1"}
        body["preconditions"] = {key: metadata[key] for key in ("uid", "resourceVersion")}
        if dry_run:  # as a parameter of the request it would be ignored beside a body
            body["dryRun"] = ["All"]
        self._call("delete", resource["kind"], name=metadata["name"], body=body)

    def annotate(self, kind: str, name: str, annotations: dict[str, str]) -> None:
        """Set annotations of an object."""
        body = {"metadata": {"annotations": annotations}}
        options = {"_content_type": "application/merge-patch+json", **_writing(False)}
        self._call("patch", kind, name=name, body=body, **options)

    def _call(self, verb: str, kind: str, **arguments: Any) -> Any:
        method = getattr(self._api, f"{verb}_namespaced_custom_object")
        with self._explained(verb, kind, arguments.get("name", "")):
            return method(*_place(kind)[:2], self.namespace, _place(kind)[2], **arguments, **_waiting())

    @contextmanager
    def _explained(self, verb: str, kind: str, name: str) -> Iterator[None]:
        from kubernetes.client import ApiException  # noqa: PLC0415 - see the module's docstring
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        try:
            yield
        except ApiException as error:
            if error.status == 404 and name and verb != "delete":
                raise click.ClickException(self._missing(kind, name)) from error
            raise click.ClickException(self._refused(f"{verb} {kind} {name}".rstrip(), error)) from error
        except (HTTPError, OSError) as error:
            cause = getattr(error, "reason", None) or error
            raise click.ClickException(f"the cluster {self._server} cannot be reached: {cause}") from error

    def _missing(self, kind: str, name: str) -> str:
        near = nearest(name, (item["metadata"]["name"] for item in self.all_of(kind)))
        return f"there is no {kind} {name} in the namespace {self.namespace}{near}"

    def _refused(self, what: str, error: ApiException) -> str:
        reason = _reason(error)
        match error.status:
            case 401:
                reason = f"{self._server} does not accept the credentials of the kubeconfig"
            case 404 if "page not found" in reason:
                reason = f"{self._server} does not know the kind; are Penstock's CRDs installed?"
            case 409:
                reason = f"it was changed meanwhile, try again ({reason})"
        return f"cannot {what}: {reason}"


def cluster_command(command: Command) -> Command:
    """Gives a command the options of kubectl that choose a cluster, and the Cluster as first argument."""

    @click.option("-n", "--namespace", help="Default: the one of the context.")
    @click.option("--context", help="The context of the kubeconfig; default: the current one.")
    @click.option("--kubeconfig", help="Default: KUBECONFIG, or ~/.kube/config.")
    @functools.wraps(command)
    def connected(
        *arguments: Any, namespace: str | None, context: str | None, kubeconfig: str | None, **options: Any
    ) -> None:
        with connect(kubeconfig, context, namespace) as cluster:
            command(cluster, *arguments, **options)

    return connected


@contextmanager
def connect(kubeconfig: str | None, context: str | None, namespace: str | None) -> Iterator[Cluster]:
    """The cluster of a kubeconfig, as kubectl would choose it."""
    from kubernetes import client, config  # noqa: PLC0415 - see the module's docstring

    try:
        contexts, current = config.list_kube_config_contexts(kubeconfig)  # type: ignore[no-untyped-call]
        chosen = _context(contexts, context) if context else current
        settings = client.Configuration()
        config.load_kube_config(kubeconfig, context, settings, persist_config=False)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError) as error:
        raise click.ClickException(f"no cluster to reach: {error}") from error
    settings.retries = 0  # of a cluster that is away the user shall hear at once
    found = namespace or chosen["context"].get("namespace") or "default"
    with client.ApiClient(settings) as api_client:
        yield Cluster(client.CustomObjectsApi(api_client), settings.host, found)


def _context(contexts: Iterable[KubeObject], name: str) -> KubeObject:
    by_name = {context["name"]: context for context in contexts}
    if name not in by_name:
        raise click.ClickException(f"the kubeconfig has no context {name}{nearest(name, by_name)}")
    return by_name[name]


def _place(kind: str) -> tuple[str, str, str]:
    """Group, version and plural of a kind."""
    if kind == "ControllerRevision":
        return ("apps", "v1", "controllerrevisions")
    return (GROUP, VERSION, KINDS[kind].names.plural)


def _writing(dry_run: bool) -> dict[str, Any]:
    return {"field_manager": FIELD_MANAGER, **({"dry_run": "All"} if dry_run else {})}


def _waiting() -> dict[str, Any]:
    return {"_request_timeout": _TIMEOUT}


def _reason(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.body or error.reason).strip()
