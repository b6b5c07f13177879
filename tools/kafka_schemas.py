"""Kafka's schemas to gateway_runtime/protocols/kafka/schemas.json, of the jar given or of that of the tests.

The jar (Apache-2.0, org.apache.kafka:kafka-clients) holds one JSON file with comments a message. Kept are the
requests that brokers answer to clients, their responses, the headers and what consumers put into bytes; of
each field what the wire needs, the entity that it names and what stands for it where it is left out.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

from e2e.components.kafka import libraries

TARGET = Path(__file__).parents[1] / "gateway_runtime" / "protocols" / "kafka" / "schemas.json"
EMBEDDED = ("ConsumerProtocolSubscription", "ConsumerProtocolAssignment")
BETWEEN_BROKERS = {27, 83, 84, 85, 86, 87}
"""Keys that brokers alone use, though their listeners answer them."""
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*')


def read_schema(text: str) -> dict[str, Any]:
    """A schema without its comments."""
    found: dict[str, Any] = json.loads(_COMMENT.sub(lambda match: match[1] or "", text))
    return found


def compact(schema: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a schema; the structs that it shares are put where they are used."""
    shared = {struct["name"]: struct["fields"] for struct in schema.get("commonStructs", ())}
    kept = {"versions": schema["validVersions"], "flexible": schema["flexibleVersions"]}
    if "apiKey" in schema:
        kept["key"] = schema["apiKey"]
    if schema.get("latestVersionUnstable"):
        kept["unstable"] = True
    return kept | {"fields": [_field(field, shared) for field in schema["fields"]]}


def _field(field: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    names = {"versions": "versions", "nullableVersions": "nullable", "taggedVersions": "tagged", "tag": "tag",
             "default": "default", "entityType": "entity", "flexibleVersions": "flexible"}  # fmt: skip
    kept = {"name": field["name"], "type": field["type"]}
    kept |= {short: field[long] for long, short in names.items() if long in field}
    type_ = field["type"].removeprefix("[]")
    inner = field.get("fields") or (shared.get(type_) if type_[0].isupper() else None)
    return kept | ({"fields": [_field(one, shared) for one in inner]} if inner else {})


def schemas(jar: Path) -> dict[str, Any]:
    """All that are kept, by name."""
    found = {}
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.startswith("common/message/") and name.endswith(".json"):
                schema = read_schema(archive.read(name).decode())
                if "fields" in schema:
                    found[schema["name"]] = schema
    keys = {
        schema["apiKey"]
        for schema in found.values()
        if "broker" in schema.get("listeners", ()) and schema["apiKey"] not in BETWEEN_BROKERS
    }
    return {
        name: compact(schema)
        for name, schema in sorted(found.items())
        if schema.get("apiKey") in keys or schema["type"] == "header" or name in EMBEDDED
    }


def write(jar: Path, target: Path) -> None:
    """One line a message, so that a new release of Kafka reads as a difference."""
    version = re.search(r"kafka-clients-([0-9.]+)\.jar", jar.name)
    lines = [f'"kafka": "{version[1] if version else ""}"']
    for name, schema in schemas(jar).items():
        lines.append(f"{json.dumps(name)}: {json.dumps(schema, separators=(',', ':'))}")
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else next(libraries().glob("kafka-clients-*.jar")), TARGET)
