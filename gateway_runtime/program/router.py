"""Host and path to a route: exact hosts, then wildcards from the longest, then any; longest prefix first.

Look-ups cost the same however many APIs there are: one dictionary probe for each path segment that any
prefix of that host uses. Changes copy what they touch, so that requests keep the router they started with.
"""

from __future__ import annotations

from gateway_runtime.program.api import ApiProgram
from gateway_runtime.program.cors import CorsProgram


class Route:
    """One path prefix of one API (`""` for the root), and its CORS rules."""

    __slots__ = ("api", "cors", "prefix")

    def __init__(self, prefix: str, api: ApiProgram, cors: CorsProgram | None) -> None:
        self.prefix = prefix
        self.api = api
        self.cors = cors


class PathTable:
    """The prefixes of one host."""

    __slots__ = ("depth", "routes")

    def __init__(self, routes: dict[str, Route], depth: int) -> None:
        self.routes = routes
        self.depth = depth

    def find(self, path: str) -> Route | None:
        """The route with the longest prefix of whole segments."""
        routes = self.routes
        ends: list[int] = []
        at = 0
        for _ in range(self.depth):
            at = path.find("/", at + 1)
            if at < 0:
                ends.append(len(path))
                break
            ends.append(at)
        for index in range(len(ends) - 1, -1, -1):
            route = routes.get(path[: ends[index]])
            if route is not None:
                return route
        return routes.get("")

    def with_route(self, route: Route) -> PathTable:
        """A table with one route more; a route already there stays."""
        routes = self.routes.copy()
        routes.setdefault(route.prefix, route)
        return PathTable(routes, max(self.depth, route.prefix.count("/")))

    def without(self, route: Route) -> PathTable:
        """A table without that route; its depth may stay larger than needed."""
        routes = self.routes.copy()
        if routes.get(route.prefix) is route:
            del routes[route.prefix]
        return PathTable(routes, self.depth)


class Router:
    """All hosts of one program. `wildcards` is keyed by the suffix, dot included."""

    __slots__ = ("exact", "other", "wildcards")

    def __init__(self) -> None:
        self.exact: dict[str, PathTable] = {}
        self.wildcards: dict[str, PathTable] = {}
        self.other = PathTable({}, 0)

    def find(self, host: str, path: str) -> Route | None:
        """The route for a host in lower case and a normalised path."""
        table = self.exact.get(host)
        if table is not None:
            route = table.find(path)
            if route is not None:
                return route
        if self.wildcards:
            dot = host.find(".")
            while dot >= 0:
                table = self.wildcards.get(host[dot:])
                if table is not None:
                    route = table.find(path)
                    if route is not None:
                        return route
                dot = host.find(".", dot + 1)
        return self.other.find(path)

    def copy(self) -> Router:
        """A router that can be changed without touching this one."""
        router = Router()
        router.exact = self.exact.copy()
        router.wildcards = self.wildcards.copy()
        router.other = self.other
        return router

    def load(self, routes: list[tuple[str, Route]]) -> None:
        """Add many routes by host pattern, while nobody uses this router yet."""
        for host, route in routes:
            table = self._table(host)
            table.routes.setdefault(route.prefix, route)
            table.depth = max(table.depth, route.prefix.count("/"))

    def add(self, host: str, route: Route) -> None:
        """Serve a route for a host pattern (`""`: any), copying the host's table."""
        self._set(host, self._table(host).with_route(route))

    def remove(self, host: str, route: Route) -> None:
        """Serve a route no more, copying the host's table."""
        table = self._table(host).without(route)
        if table.routes or not host:
            self._set(host, table)
        elif host.startswith("*."):
            del self.wildcards[host[1:]]
        else:
            del self.exact[host]

    def _table(self, host: str) -> PathTable:
        if not host:
            return self.other
        tables, key = (self.wildcards, host[1:]) if host.startswith("*.") else (self.exact, host)
        return tables.setdefault(key, PathTable({}, 0))

    def _set(self, host: str, table: PathTable) -> None:
        if not host:
            self.other = table
        elif host.startswith("*."):
            self.wildcards[host[1:]] = table
        else:
            self.exact[host] = table
