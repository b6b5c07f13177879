"""What is wrong with a resource, and where: the one shape of all findings of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["Error", "Warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about one field of one resource.

    `reason` is the CamelCase word of a status condition, `resource` reads `Kind namespace/name`, `field`
    is a path in YAML names such as `spec.listeners[0].http.path` (empty: the whole resource), `line` counts
    from 1 (0: not known).
    """

    severity: Severity
    reason: str
    message: str
    resource: str = ""
    field: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        """`file:line: severity: resource field: message`, without the parts that are not known."""
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        subject = " ".join(part for part in (self.resource, self.field) if part)
        return (
            f"{place}{self.severity.lower()}: {subject}: {self.message}"
            if subject
            else (f"{place}{self.severity.lower()}: {self.message}")
        )
