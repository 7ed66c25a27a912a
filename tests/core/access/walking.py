"""Which public functions of the core change something, and which of them check a role."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import melanoma_core

CORE = Path(melanoma_core.__file__).parent
# What writes, by the last part of the name that is called. Files, processes, the tracking store.
_EFFECTS = {
    *("write_file", "write_bytes", "write_text", "writestr", "write_through", "mkdir", "touch"),
    *("unlink", "rmtree", "rename", "make_draft", "start_detached", "savez", "to_csv", "dump"),
    *("set_state", "delete_run", "set_alias", "register", "log_file", "terminate", "kill"),
    *("write_change", "write_erasure", "finish_removals", "create_database", "upgrade_database"),
    *("write_pointer", "begin_change", "carry_out", "end_change", "_change"),
}
_DATABASE_WRITES = ("_database.write", "database.write")


@dataclass
class Function:
    """A function or method, with the names that it calls."""

    name: str
    is_public: bool
    calls: set[str] = field(default_factory=set)

    @property
    def writes(self) -> bool:
        """Whether it calls what writes."""
        return any(
            call.endswith(_DATABASE_WRITES)
            or call == "ledger.append"
            or call in {"job.start", "job.cancel"}
            or (call.startswith("BackgroundJob(") and call.endswith((".start", ".cancel")))
            or call.rpartition(".")[2] in _EFFECTS
            for call in self.calls
        )

    @property
    def checks(self) -> bool:
        """Whether it asks for a role."""
        return any(call.rpartition(".")[2] == "require" for call in self.calls)


def list_changing(package: str) -> dict[str, bool]:
    """Return the public functions of a package that change something, and whether each checks.

    A function changes something if it or a private function of its module that it calls does.
    """
    found: dict[str, bool] = {}
    for path in sorted((CORE / package).rglob("*.py")):
        module = path.relative_to(CORE).with_suffix("").as_posix().replace("/", ".")
        functions = {each.name: each for each in _list_functions(ast.parse(path.read_text()))}
        for function in functions.values():
            if function.is_public and _reaches_write(function, functions, set()):
                found[f"{module}.{function.name}"] = function.checks
    return found


def _reaches_write(function: Function, own: dict[str, Function], seen: set[str]) -> bool:
    if function.writes:
        return True
    seen.add(function.name)
    private = (call.removeprefix("self.") for call in function.calls)
    class_name = function.name.rpartition(".")[0]
    for call in private:
        called = own.get(call) or own.get(f"{class_name}.{call}")
        is_own = called is not None and not called.is_public and called.name not in seen
        if called is not None and is_own and _reaches_write(called, own, seen):
            return True
    return False


def _list_functions(tree: ast.Module) -> Iterator[Function]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield _describe(node, node.name, not node.name.startswith("_"))
        elif isinstance(node, ast.ClassDef):
            for child in node.body:
                if isinstance(child, ast.FunctionDef):
                    is_public = not (node.name.startswith("_") or child.name.startswith("_"))
                    yield _describe(child, f"{node.name}.{child.name}", is_public)


def _describe(node: ast.FunctionDef, name: str, is_public: bool) -> Function:
    calls = {ast.unparse(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
    return Function(name, is_public, calls)
