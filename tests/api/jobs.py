"""The shortest job of each kind, as a person writes it."""

from __future__ import annotations

TRANSFER = """\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata:
  name: reviews
spec:
  app:
    name: text_classify
  model:
    from: {zoo: minilm-l6-en}
  data:
    train:
      uri: s3://bucket/train.tsv
    validation:
      uri: s3://bucket/dev.tsv
"""

PRETRAIN = """\
apiVersion: graft.dev/v1alpha1
kind: PretrainJob
metadata: {name: wiki}
spec:
  model:
    from: {config: {architecture: bert, layers: 4, hidden: 256, heads: 4}}
    tokenizer: {train: {kind: wordpiece, size: 8000}}
  data: {train: {uri: "s3://wiki/*.txt", format: text}}
"""

DISTILL = """\
apiVersion: graft.dev/v1alpha1
kind: DistillJob
metadata: {name: reviews-small}
spec:
  app: {name: text_classify}
  teacher: {from: {job: {kind: TransferJob, name: reviews}}}
  student: {from: {config: {architecture: bert, layers: 3, hidden: 312, heads: 12}}}
  data: {train: {uri: s3://bucket/train.tsv}}
"""

SERVE = """\
apiVersion: graft.dev/v1alpha1
kind: ServeDeployment
metadata: {name: reviews}
spec:
  model: {from: {job: {kind: DistillJob, name: reviews-small}}}
"""

SHORTEST = {
    "PretrainJob": PRETRAIN,
    "TransferJob": TRANSFER,
    "DistillJob": DISTILL,
    "ServeDeployment": SERVE,
}


def with_line(number: int, text: str, *, of: str = TRANSFER) -> str:
    """The job with one line, counted from 1, replaced; "" removes its content."""
    lines = of.splitlines()
    lines[number - 1] = text
    return "\n".join(lines) + "\n"


def with_spec(text: str, *, of: str = TRANSFER) -> str:
    """The job with further lines of its spec at the end."""
    return f"{of}  {text}\n"
