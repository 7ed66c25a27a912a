"""Write the pages of docs/ that are made from the code: `make docs`.

`python -m docs.generate --check` writes nothing and exits with 1 where a page is out of date;
`make lint` asks it.
"""

import argparse
import dataclasses
import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Annotated, get_args, get_origin

from docs.http_api import write_http_api

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
_RESULTS = "<!-- results: made from the model card by `make docs` -->"
_RESULT_FIGURES = (
    *("melanoma_roc_auc", "sensitivity", "specificity"),
    *("skin_cancer_roc_auc", "skin_cancer_sensitivity", "skin_cancer_specificity"),
    *("lesion_melanoma_roc_auc", "lesion_alerts_differ"),
    *("balanced_accuracy", "calibration_error"),
)
_NOTE = "<!-- Made from the code by `make docs`. Do not edit. -->"


def write_command_line() -> str:
    """Describe every command with its options, as its own help does."""
    from melanoma_core.cli.main import build_parser

    lines = [
        "# Command line",
        "",
        "Start each command with `melanoma` in an installed package, or with",
        "`.venv/bin/python -m melanoma_core` in a checkout.",
        "",
        "A command exits with 0 when it is done, 2 when its input or usage is bad, and 1 when it",
        "meets a bug. The answer goes to standard output, everything else to standard error. With",
        "`--json`, the answer is one JSON document.",
    ]
    for words, parser, purpose in _walk_commands(build_parser(), ()):
        lines += ["", f"## {' '.join(words)}", "", *_describe_command(words, parser, purpose)]
    return "\n".join(lines)


def _walk_commands(
    parser: argparse.ArgumentParser, words: tuple[str, ...], purpose: str = ""
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser, str]]:
    children = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if words and (not children or len(parser._actions) > len(children) + 1):
        yield words, parser, purpose
    for action in children:
        purposes = {each.dest: each.help or "" for each in action._choices_actions}
        for name, child in action.choices.items():
            yield from _walk_commands(child, (*words, name), purposes.get(name, ""))


def _describe_command(
    words: tuple[str, ...], parser: argparse.ArgumentParser, purpose: str
) -> Iterator[str]:
    yield from (_sentence(parser.description or purpose), "")
    usage = f"melanoma {' '.join(words)} {_list_arguments(parser)}".strip()
    yield from ("```text", usage, "```")
    rows = [
        (_name_argument(action), _sentence(_fill(action)))
        for action in parser._actions
        if action.dest != "help" and not isinstance(action, argparse._SubParsersAction)
    ]
    if rows:
        yield ""
        yield from _write_table(("argument", "meaning"), rows)


def _list_arguments(parser: argparse.ArgumentParser) -> str:
    parts = []
    for action in parser._actions:
        if action.dest == "help" or isinstance(action, argparse._SubParsersAction):
            continue
        name = _name_argument(action).strip("`")
        is_optional = bool(action.option_strings) and not action.required
        parts.append(f"[{name}]" if is_optional or action.nargs in {"?", "*"} else name)
    return " ".join(parts)


def _name_argument(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices is not None and not action.metavar:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if not action.option_strings:
        return f"`{value}{' …' if action.nargs in {'+', '*'} else ''}`"
    option = action.option_strings[-1]
    return f"`{option}`" if action.nargs == 0 else f"`{option} {value}`"


def _fill(action: argparse.Action) -> str:
    return (action.help or "").replace("%(default)s", str(action.default))


def write_settings() -> str:
    """Describe every environment variable."""
    from melanoma_core.settings import describe_settings

    lines = [
        "# Settings",
        "",
        "Settings are environment variables. They are read each time that they are needed.",
        "",
        *_write_table(
            ("variable", "what it sets", "default"),
            [
                (f"`{row['variable']}`", row["description"], _code(row["default"]))
                for row in describe_settings()
            ],
        ),
    ]
    return "\n".join(lines)


def write_bundled_model() -> str:
    """Show what the bundled model achieves, from its card."""
    from melanoma_core.models.card import load_card
    from melanoma_core.models.card_text.alerts import describe_alerts, describe_lesions
    from melanoma_core.models.card_text.tables import write_figures
    from melanoma_core.models.card_text.wording import describe_model
    from melanoma_core.models.registry import BUNDLED

    card = load_card(BUNDLED)
    paragraphs = (describe_model(card), *describe_alerts(card), describe_lesions(card))
    lines = [
        "# Bundled model",
        "",
        f"`{card.model_id}`, from its card. Metrics are on lesions that were not seen in training,",
        "and that no threshold was chosen on. In brackets are 95% confidence intervals, resampled",
        "by lesion. `python -m melanoma_core models` prints this table, and",
        f"`python -m melanoma_core models show {card.model_id}` the whole card.",
        "",
        write_figures(card),
        *(line for each in filter(None, paragraphs) for line in ("", *wrap(each, 110))),
        "",
        "Lesions of one collection resemble each other. So expect less on photographs from",
        "elsewhere, and compare the collections, which come from different clinics. A collection",
        "with few melanomas or few other lesions has wide intervals and says little on its own.",
    ]
    return "\n".join(lines)


def write_results() -> str:
    """Return README's lines of results, from the card of the bundled model."""
    from melanoma_core.evaluation.subsets import CONFIRMED, TEST, find_headline
    from melanoma_core.models.card import load_card
    from melanoma_core.models.card_text.formats import format_figure, format_size
    from melanoma_core.models.card_text.wording import name_figure
    from melanoma_core.models.registry import BUNDLED

    metrics = load_card(BUNDLED).metrics
    headline = find_headline(metrics)
    size = format_size(metrics[headline]["accuracy"]).replace(" of ", " photographs of ")
    confirmed = (
        " whose diagnosis was confirmed by histopathology"
        if headline == CONFIRMED
        else " (how each diagnosis was confirmed is not recorded)"
    )
    names = [name for name in _RESULT_FIGURES if name in metrics[headline]]
    shown = [
        f"- {name_figure(name)}: {format_figure(name, metrics[headline][name])}." for name in names
    ]
    others = [
        f"- {_name_part(subset)}, "
        f"{format_size(metrics[subset]['accuracy']).replace(' of ', ' photographs of ')}: "
        f"{format_figure('melanoma_roc_auc', metrics[subset]['melanoma_roc_auc'])}; sensitivity "
        f"{format_figure('sensitivity', metrics[subset]['sensitivity'])}; specificity "
        f"{format_figure('specificity', metrics[subset]['specificity'])}."
        for subset in metrics
        if subset != headline
    ]
    lines = [
        f"On {size}{confirmed}, not seen in training, with 95% confidence intervals:",
        "",
        *shown,
        "",
        "Melanoma ROC AUC, sensitivity and specificity on the other parts of the test subset"
        f"{', confirmed or not' if headline != TEST else ''}:",
        "",
        *others,
    ]
    return "\n".join(lines)


def _name_part(subset: str) -> str:
    from melanoma_core.evaluation.subsets import TEST, find_collection
    from melanoma_core.models.card_text.wording import name_subset

    collection = find_collection(subset)
    return "All" if subset == TEST else f"{collection} alone" if collection else name_subset(subset)


def write_card() -> str:
    """Describe the format of the model card and of the folder that it lies in."""
    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.evaluation.leakage import Leakage
    from melanoma_core.evaluation.rules import ConformalBounds
    from melanoma_core.models.card import ModelCard, NoveltyLimit, OperatingPoint

    types = (ModelCard, OperatingPoint, Figure, ConformalBounds, NoveltyLimit, Leakage)
    lines = [
        "# Model card",
        "",
        "A model is one folder. `card.json` in it says what the model is, how it was made and how",
        "well it does. It is one JSON object with the fields of `ModelCard`. `null` stands for",
        "an undefined number (NaN).",
        "",
        "| file | content |",
        "| --- | --- |",
        "| `card.json` | the model card |",
        "| `model.onnx` | the network that reads: uint8 RGB in, probabilities, embedding and"
        " activation maps out |",
        "| `model.keras` | the same network, to train on and to differentiate |",
        "| `predictions.csv.gz` | what the model predicts for each image of its test subset |",
        "| `split.csv.gz` | every image that the weights have seen, with its subset; ids of lesions"
        " and patients are keyed hashes |",
        "| `evidence.json` | the evidence pack: every metric, slice and curve |",
        *_describe_types(types),
    ]
    return "\n".join(lines)


def write_run() -> str:
    """Describe the recipe and the record of a run."""
    from melanoma_core.runs.run import Run, RunSpec
    from melanoma_core.training.recipe import PRESETS, Recipe

    lines = [
        "# Runs and recipes",
        "",
        "A run is one training. Its recipe is one flat object; change a field with",
        "`--set field=value` or on the Training page. MLflow records the recipe as parameters, and",
        "a value per metric and epoch.",
        "",
        "## Presets",
        "",
        *_write_table(
            ("preset", "fields that differ from the defaults"),
            [(f"`{name}`", _list_changes(recipe)) for name, recipe in PRESETS.items()],
        ),
        *_describe_types((Recipe, RunSpec, Run)),
    ]
    return "\n".join(lines)


def _list_changes(recipe: object) -> str:
    assert dataclasses.is_dataclass(recipe)
    changed = [
        f"`{field.name}={getattr(recipe, field.name)}`"
        for field in dataclasses.fields(recipe)
        if field.name != "name" and getattr(recipe, field.name) != field.default
    ]
    return ", ".join(changed) or "none"


def write_python() -> str:
    """Describe the functions of the package's front door."""
    import melanoma_core

    lines = [
        "# Python",
        "",
        "```python",
        "import melanoma_core",
        "```",
    ]
    for name in melanoma_core.__all__:
        function = getattr(melanoma_core, name)
        if not inspect.isfunction(function):
            continue
        lines += ["", f"## {name}", "", "```python"]
        lines += [f"melanoma_core.{name}{inspect.signature(function)}", "```", ""]
        lines += _write_docstring(inspect.getdoc(function) or "")
    return "\n".join(lines)


def write_architecture() -> str:
    """Draw the packages and which of them import which, from the imports of today."""
    import grimp

    graph = grimp.build_graph("melanoma_core", "dashboard")
    rooms: dict[str, set[str]] = defaultdict(set)
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            source, target = _name_room(module), _name_room(imported)
            if source and target and source != target:
                rooms[source].add(target)
    lines = [
        "# Architecture",
        "",
        "A page is a package. The command line is a package. `networks` is the only package that",
        "imports TensorFlow. An arrow points from a package to one that it imports; an arrow that",
        "follows from two others is left out. `make lint` checks that no arrow points upwards and",
        "that there is no circle.",
        "",
        "```mermaid",
        "flowchart TD",
        *_draw_arrows(_reduce(rooms)),
        "```",
        "",
        *_write_table(("package", "what it is for"), _list_rooms()),
    ]
    return "\n".join(lines)


def _name_room(module: str) -> str | None:
    parts = module.split(".")
    if len(parts) == 1:
        return None
    place = ROOT.joinpath(*parts[:2])
    if not place.is_dir():
        return None  # settings, errors and the like: every package imports them
    return "/".join(parts[:2])


def _reduce(rooms: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Leave out every arrow that a longer way replaces."""
    reached = {room: _reach(rooms, room) for room in rooms}
    return {
        room: {t for t in targets if not any(t in reached.get(o, ()) for o in targets - {t})}
        for room, targets in rooms.items()
    }


def _reach(rooms: Mapping[str, set[str]], room: str) -> set[str]:
    found: set[str] = set()
    waiting = [room]
    while waiting:
        for target in rooms.get(waiting.pop(), ()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _draw_arrows(rooms: Mapping[str, set[str]]) -> Iterator[str]:
    for room, targets in sorted(rooms.items()):
        for target in sorted(targets):
            names = [f'{each.replace("/", "_")}["{each}"]' for each in (room, target)]
            yield f"    {names[0]} --> {names[1]}"


def _list_rooms() -> list[tuple[str, str]]:
    rows = []
    for package in ("dashboard", "melanoma_core"):
        for place in sorted((ROOT / package).iterdir()):
            init = place / "__init__.py"
            if init.is_file():
                text = init.read_text("utf-8")
                rows.append((f"`{package}/{place.name}`", text.split('"""')[1].split("\n\n")[0]))
            elif place.suffix == ".py" and not place.name.startswith("__"):
                text = place.read_text("utf-8")
                rows.append((f"`{package}/{place.name}`", text.split('"""')[1].split("\n\n")[0]))
    return [(name, " ".join(text.split())) for name, text in rows]


def _describe_types(types: tuple[type, ...]) -> Iterator[str]:
    for each in types:
        doc = inspect.getdoc(each) or ""
        yield from ("", f"## {each.__name__}", "", doc.partition("\n\n")[0].replace("\n", " "), "")
        meanings = _read_attributes(doc)
        rows = [
            (f"`{field.name}`", f"`{_name_type(field.type)}`", meanings.get(field.name, ""))
            for field in dataclasses.fields(each)
        ]
        yield from _write_table(("field", "type", "meaning"), rows)


def _name_type(kind: object) -> str:
    if get_origin(kind) is Annotated:  # the types of some keys of a dictionary
        kind = get_args(kind)[0]
    text = kind.__name__ if isinstance(kind, type) else str(kind)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text).replace("|", "or")


def _read_attributes(doc: str) -> dict[str, str]:
    """Return what a Google-style docstring says of each attribute."""
    section = doc.partition("Attributes:\n")[2].partition("\n\n")[0]
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        match = re.match(r" {4}([a-z][a-z_0-9, ]*): (.*)", line)
        if match:
            names = [name.strip() for name in match.group(1).split(",")]
            found |= dict.fromkeys(names, match.group(2))
        elif names:
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def _write_docstring(doc: str) -> Iterator[str]:
    """Write a Google-style docstring as Markdown."""
    for part in doc.split("\n\n"):
        title = re.match(r"(Args|Returns|Raises|Attributes|Examples?):\n", part)
        if part.startswith(">>>") or (title and title.group(1).startswith("Example")):
            yield from ("```python", inspect.cleandoc(part.partition(":\n")[2] or part), "```", "")
        elif title:
            yield from (f"**{title.group(1)}**", "")
            for item in re.split(r"\n(?=\S)", inspect.cleandoc(part.partition("\n")[2])):
                yield f"- {' '.join(item.split())}"
            yield ""
        else:
            yield from (" ".join(part.split()), "")


def _code(text: str) -> str:
    """Set a plain value as code; leave a sentence as it is."""
    is_value = text not in {"", "none"} and " " not in text and "`" not in text
    return f"`{text}`" if is_value else text or "none"


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    if not text:
        return ""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def _write_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        cells = [re.sub(r"(?<!\\)\|", r"\\|", " ".join(cell.split())) for cell in row]
        yield f"| {' | '.join(cells)} |"


def write_fhir_codes() -> str:
    """List every code that a FHIR file may hold, with where its meaning was looked up."""
    from melanoma_core.exchange.fhir.codes import LOCAL, list_codes
    from melanoma_core.exchange.fhir.histology_codes import MORPHOLOGIES
    from melanoma_core.exchange.fhir.sites import SITES

    codes = list_codes()
    public = [code for code in codes if not code.is_local]
    lines = [
        "# Codes in FHIR files",
        "",
        "Where a public source gives a code that very meaning, it is used. For all else there are",
        "local codes, which each file holds in full. [Send a lesion as",
        "FHIR](../how-to/send-fhir.md) says where they stand.",
        "",
        "## Public codes",
        "",
        "Those with the source DICOM PS3.16 are compared with it by a test. Those with the",
        "source SNOMED CT, LOINC or WHO ICD-O-3 were looked up in public lists, not in a licensed",
        "release.",
        "",
        *_write_table(
            ("system", "code", "meaning", "source"),
            [(_code(each.system), _code(each.code), each.display, each.source) for each in public],
        ),
        "",
        "## Places on the skin",
        "",
        "SNOMED CT, from DICOM PS3.16. A place without its own code has that of the smallest place",
        "around it, and is named in words beside it.",
        "",
        *_write_table(
            ("place in the record", "code", "meaning"),
            [
                (name or "any other", _code(code), display)
                for name, (code, display) in SITES.items()
            ],
        ),
        "",
        "## Histology",
        "",
        "Morphology of ICD-O-3 (WHO). A diagnosis without its own code has that of the entry that",
        "it lies under; one that lies under none is written in words.",
        "",
        *_write_table(
            ("diagnosis of the ISIC Archive", "code", "meaning"),
            [(name, _code(code), display) for name, (code, display) in MORPHOLOGIES.items()],
        ),
        "",
        "## Local codes",
        "",
        f"System {_code(LOCAL)}.",
        "No other software knows them unless it reads the list in the file.",
        "",
        *_write_table(
            ("code", "meaning"),
            [(_code(each.code), each.display) for each in codes if each.is_local],
        ),
    ]
    return "\n".join(lines)


PAGES: dict[str, Callable[[], str]] = {
    "reference/bundled-model.md": write_bundled_model,
    "reference/command-line.md": write_command_line,
    "reference/settings.md": write_settings,
    "reference/fhir-codes.md": write_fhir_codes,
    "reference/http-api.md": write_http_api,
    "reference/model-card.md": write_card,
    "reference/runs.md": write_run,
    "reference/python.md": write_python,
    "explanation/architecture.md": write_architecture,
}


def find_outdated() -> Iterator[str]:
    """Compare every page with what the code says now."""
    for name, write in PAGES.items():
        path = DOCS / name
        if not path.is_file() or path.read_text("utf-8") != _finish(write()):
            yield f"docs/{name} is out of date: run `make docs`"
    text = README.read_text("utf-8")
    if text != _fill_results(text):
        yield "README.md's results are not those of the card: run `make docs`"


def _fill_results(text: str) -> str:
    """Return README with its results as the card has them."""
    head, begin, rest = text.partition(_RESULTS)
    _, end, tail = rest.partition("<!-- /results -->")
    if not (begin and end):
        raise ValueError(f"README.md lacks {_RESULTS} or its end")
    return f"{head}{begin}\n\n{write_results()}\n\n{end}{tail}"


def _finish(text: str) -> str:
    return f"{_NOTE}\n\n{text.rstrip()}\n"


def main() -> int:
    """Write the pages, or check them, and return the exit status."""
    if "--check" in sys.argv[1:]:
        problems = list(find_outdated())
        print("\n".join(problems), end="\n" if problems else "")
        return 1 if problems else 0
    for name, write in PAGES.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_finish(write()), "utf-8")
        print(path.relative_to(ROOT))
    README.write_text(_fill_results(README.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
