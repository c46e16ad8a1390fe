"""model_card.md: what the model is, what it saw, how good it is and how to load it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import yaml

from graft_worker.export.contents import Comparison, Contents, DataFacts, Result
from graft_worker.export.intervals import wilson

_MOST = 30  # labels listed by name; the rest are in profile.json


def card(contents: Contents) -> str:
    """The card as Markdown with the library's front matter; equal contents, equal text."""
    parts = (
        _front(contents),
        _head(contents),
        _results(contents.results),
        *_comparison(contents.comparison),
        _data(contents.data),
        _origin(contents),
        _limits(contents),
        _loading(contents),
        _spec(contents),
    )
    return "\n".join(parts)


def results_json(results: Iterable[Result]) -> str:
    """metrics.json: each split's rows and metrics, and the 95 % interval of its accuracy."""
    splits = {
        result.split: {
            "rows": result.rows,
            "metrics": dict(result.metrics),
            "interval95": {name: list(pair) for name, pair in _intervals(result).items()},
        }
        for result in results
    }
    return json.dumps(splits, indent=1) + "\n"


def _front(contents: Contents) -> str:
    words = contents.words
    told = {
        "pipeline_tag": words.pipeline if words else "text-classification",
        "library_name": "transformers",
        "tags": ["graft", *([contents.app] if contents.app else []), contents.method],
    }
    return f"---\n{_yaml(told)}---\n"


def _head(contents: Contents) -> str:
    parameters = sum(tensor.numel() for tensor in contents.weights.values())
    if contents.words:
        kind, about = contents.words.kind, contents.words.about
        made = f"Made by Graft's {kind} `{contents.job}`: {about}. {parameters:,} parameters.\n"
        return f"# {contents.job}\n\n{made}"
    labels = ", ".join(f"`{name}`" for name in contents.labels[:_MOST])
    more = f" and {len(contents.labels) - _MOST} more" if len(contents.labels) > _MOST else ""
    answer = f"labels {labels}{more}" if contents.labels else "one number"
    return (
        f"# {contents.job}\n\n"
        f"Made by Graft's {contents.spec.get('kind', 'job')} `{contents.job}`: "
        f"app `{contents.app}` ({contents.variant}), method `{contents.method}`, "
        f"{(contents.problem or '').replace('_', ' ')}, {answer}. "
        f"{parameters:,} parameters, texts of at most {contents.max_length} tokens.\n"
    )


def _results(results: tuple[Result, ...]) -> str:
    lines = [
        "## Results\n",
        "| split | rows | metric | value | 95 % interval |",
        "|---|---|---|---|---|",
    ]
    for result in results:
        intervals = _intervals(result)
        for name, value in result.metrics.items():
            pair = intervals.get(name)
            shown = f"{pair[0]:.4f} to {pair[1]:.4f}" if pair else ""
            lines.append(f"| {result.split} | {result.rows:,} | {name} | {value:.4f} | {shown} |")
    lines.append(
        "\nThe interval is Wilson's. "
        "A split that chose the model flatters it; a test split does not.\n"
    )
    return "\n".join(lines)


def _comparison(comparison: Comparison | None) -> tuple[str, ...]:
    """Nothing where there is no teacher."""
    if comparison is None:
        return ()
    return (
        "## Beside its teacher\n\n"
        f"{comparison.metric} on the {comparison.split} split: "
        f"teacher {comparison.teacher:.4f}, this student {comparison.student:.4f}.\n",
    )


def _intervals(result: Result) -> dict[str, tuple[float, float]]:
    share = result.metrics.get("accuracy")
    return {} if share is None else {"accuracy": wilson(share, result.rows)}


def _data(data: tuple[DataFacts, ...]) -> str:
    lines = ["## Data\n", "| split | source | rows | sha256 |", "|---|---|---|---|"]
    lines += [f"| {d.split} | `{d.source}` | {d.rows:,} | `{d.sha256}` |" for d in data]
    counted = [each for each in data if each.histogram]
    if counted:
        lines += ["\nRows of each label:\n", "| split | label | rows |", "|---|---|---|"]
    for each in counted:
        common = sorted(each.histogram.items(), key=lambda item: -item[1])[:_MOST]
        lines += [f"| {each.split} | {_cell(label)} | {rows:,} |" for label, rows in common]
    return "\n".join(lines) + "\n"


def _origin(contents: Contents) -> str:
    origin = contents.origin
    start = "random weights from the config" if origin.random else "the weights"
    versions = "\n".join(f"- {name} {value}" for name, value in sorted(contents.versions.items()))
    taught = f"Its teacher was `{contents.teacher}`.\n\n" if contents.teacher else ""
    return (
        f"## Origin\n\nTraining began with {start} of `{origin.name}` (`{origin.digest}`).\n\n"
        f"{taught}"
        f"Made with:\n\n{versions}\n"
    )


def _limits(contents: Contents) -> str:
    if contents.words:
        own = "".join(f"- {line}\n" for line in contents.words.limits)
        licences = "- Licences of the base model and of the data apply; Graft adds none.\n"
        return f"## Limits\n\n{own}{licences}"
    return (
        "## Limits\n\n"
        f"- What stands after {contents.max_length} tokens of a text is not read.\n"
        "- Measured on data like those above alone; `profile.json` describes them.\n"
        "- Probabilities are the model's own and are not calibrated.\n"
        "- Licences of the base model and of the data apply; Graft adds none.\n"
    )


def _loading(contents: Contents) -> str:
    if contents.words:
        return f"## Loading\n\n{_python(contents.words.loader)}"
    graft = (
        "```console\ngraft predict THIS_FOLDER --input texts.tsv --output predictions.tsv\n```\n"
    )
    if contents.config.get("model_type") != "bert":
        return f"## Loading\n\n{graft}"
    return f"## Loading\n\n{graft}\n{_python('AutoModelForSequenceClassification')}"


def _python(loader: str) -> str:
    return (
        f"```python\nfrom transformers import {loader}, AutoTokenizer\n\n"
        'tokenizer = AutoTokenizer.from_pretrained("THIS_FOLDER")\n'
        f'model = {loader}.from_pretrained("THIS_FOLDER")\n```\n'
    )


def _spec(contents: Contents) -> str:
    job = _yaml(contents.spec)
    return f"## Job\n\nThe exact job, every default written out:\n\n```yaml\n{job}```\n"


def _yaml(data: Mapping[str, object]) -> str:
    return yaml.safe_dump(json.loads(json.dumps(data)), sort_keys=False, allow_unicode=True)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
