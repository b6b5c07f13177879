"""The program of one worker: what a snapshot compiles to, and how a delta makes the next one of it.

A program is never changed once it serves: a delta copies what it touches, so that a request that began with
one program ends with it, and an API that did not change keeps its compiled objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway_runtime.program.api import ApiProgram
from gateway_runtime.program.compile import ApiCompiler, Surroundings
from gateway_runtime.program.cors import CorsProgram
from gateway_runtime.program.router import Route, Router
from gateway_runtime.secrets.hidden import SecretText
from gateway_runtime.snapshot.codec import Delta
from gateway_runtime.snapshot.references import secret_uris
from gateway_runtime.snapshot.types import GatewaySection, Snapshot

HostRoute = tuple[str, Route]
_MANY_ROUTES = 64
"""Above this many changed routes the router is made anew, since each small change copies a host's table."""


class Program:
    """Router and APIs. `routes` remembers what each API put into the router."""

    __slots__ = ("apis", "gateway", "router", "routes", "snapshot")

    def __init__(self, snapshot: Snapshot, router: Router) -> None:
        self.snapshot = snapshot
        self.gateway: GatewaySection = snapshot.gateway
        self.router = router
        self.apis: dict[str, ApiProgram] = {}
        self.routes: dict[str, list[HostRoute]] = {}

    def errors(self, keys: Iterable[str]) -> dict[str, str]:
        """What is wrong with those of the given APIs that could not be compiled."""
        found = ((key, self.apis[key].error) for key in keys if key in self.apis)
        return {key: error for key, error in found if error}


def compile_program(snapshot: Snapshot, surroundings: Surroundings) -> Program:
    """Compile a whole snapshot."""
    program = Program(snapshot, Router())
    loaded: list[HostRoute] = []
    for key in snapshot.apis:
        loaded += _compile_api(program, key, surroundings)
    program.router.load(loaded)
    return program


def update_program(old: Program, delta: Delta, snapshot: Snapshot, surroundings: Surroundings) -> Program:
    """The program of `snapshot`, to which `delta` led from the old program's."""
    if delta.gateway is not None and _touches_apis(old.gateway, delta.gateway):
        return compile_program(snapshot, surroundings)
    program = Program(snapshot, old.router.copy())
    program.apis = old.apis.copy()
    program.routes = old.routes.copy()
    changed = changed_apis(delta)
    dropped = [entry for key in (*delta.removed_apis, *changed) for entry in _drop(program, key)]
    added = [
        entry for key in changed if key in snapshot.apis for entry in _compile_api(program, key, surroundings)
    ]
    if len(dropped) + len(added) > _MANY_ROUTES:
        program.router = Router()
        program.router.load([entry for routes in program.routes.values() for entry in routes])
        return program
    for host, route in dropped:
        program.router.remove(host, route)
    for host, route in added:
        program.router.add(host, route)
    return program


def recompile(old: Program, keys: Iterable[str], surroundings: Surroundings) -> Program:
    """The same snapshot with some APIs compiled anew, as a changed secret asks for."""
    entries = {key: old.snapshot.apis[key] for key in keys}
    return update_program(old, Delta(apis=entries), old.snapshot, surroundings)


def changed_apis(delta: Delta) -> list[str]:
    """The APIs that a delta compiles anew."""
    return list(dict.fromkeys([*delta.apis, *delta.subscriptions, *delta.removed_subscriptions]))


def users_of(snapshot: Snapshot, uris: Iterable[str]) -> list[str]:
    """The APIs that use one of these secrets."""
    wanted = frozenset(uris)
    gateway = snapshot.gateway
    return [key for key, entry in snapshot.apis.items() if wanted & secret_uris(entry.section, gateway)]


def changed_secrets(old: Mapping[str, SecretText], new: Mapping[str, SecretText]) -> list[str]:
    """The URIs whose values differ."""
    return [uri for uri in {**old, **new} if old.get(uri) != new.get(uri)]


def _touches_apis(old: GatewaySection, new: GatewaySection) -> bool:
    kept = (old.flows, old.access_log, old.key_pepper)
    return kept != (new.flows, new.access_log, new.key_pepper)


def _compile_api(program: Program, key: str, surroundings: Surroundings) -> list[HostRoute]:
    section = program.snapshot.apis[key].section
    if section.kafka is not None:
        return []
    subscriptions = program.snapshot.subscriptions.get(key)
    compiler = ApiCompiler(section, program.gateway, surroundings)
    api = compiler.compile(None if subscriptions is None else subscriptions.section)
    routes: list[HostRoute] = []
    for route in section.routes:
        cors = None if route.cors is None else CorsProgram(route.cors)
        prefix = "" if route.path == "/" else route.path.rstrip("/")
        routes += [(host, Route(prefix, api, cors)) for host in route.hosts or ("",)]
    program.apis[key] = api
    program.routes[key] = routes
    return routes


def _drop(program: Program, key: str) -> list[HostRoute]:
    program.apis.pop(key, None)
    return program.routes.pop(key, [])
