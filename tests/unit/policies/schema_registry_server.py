"""A schema registry on a free port of the loopback, with Confluent's interface as far as it is used."""

from __future__ import annotations

import asyncio
import json
from typing import Any


class RegistryServer:
    """Schemas by id, each with its subjects; counts requests."""

    def __init__(self) -> None:
        self.schemas: dict[int, dict[str, Any]] = {}
        self.subjects: dict[int, list[str]] = {}
        self.requests: list[str] = []
        self.authorizations: set[str] = set()
        self.status = 0
        self._port = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def register(
        self, schema_id: int, *subjects: str, kind: str = "JSON", schema: Any = True, **more: Any
    ) -> None:
        self.schemas[schema_id] = {"schema": json.dumps(schema), "schemaType": kind, "guid": "g", **more}
        self.subjects[schema_id] = list(subjects)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        self.requests.append(path)
        self.authorizations |= {
            line for line in head.split("\r\n") if line.lower().startswith("authorization")
        }
        status, body = self._found(path.split("/"))
        text = json.dumps(body).encode()
        writer.write(
            f"HTTP/1.1 {self.status or status} Some\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text
        )
        await writer.drain()
        writer.close()

    def _found(self, path: list[str]) -> tuple[int, Any]:
        number = int(path[3])
        if number not in self.schemas:
            return 404, {"error_code": 40403}
        if path[4:] == ["versions"]:
            return 200, [{"subject": one, "version": 1} for one in self.subjects[number]]
        return 200, self.schemas[number]
