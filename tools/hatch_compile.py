"""The wheel's build hook: adds the compiled hot modules where a C compiler is there.

Without one, or with PENSTOCK_COMPILE=0, the wheel is pure Python and says so in its tag. An editable
install is left alone: `make compile` compiles in place.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileHook(BuildHookInterface[Any]):
    """Compiles before the wheel is packed."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, add the extension modules to the wheel and mark it as bound to a platform."""
        if version == "editable" or os.environ.get("PENSTOCK_COMPILE", "1") == "0":
            return
        root = Path(self.root)
        compiler = _load(root / "tools" / "compile_hot.py")
        sources = compiler.listed_sources(root)
        if not sources or not compiler.compiler_found():
            return
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        built = compiler.build(root, sources, folder)
        build_data["force_include"].update({str(folder / "lib" / path): str(path) for path in built})
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Drop the build folder."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
