"""Whatever an author writes, the answer is a list of sentences."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from products.adapters.compose.config import ComposeConfig
from products.composition.inspection import Inspection
from products.contracts import ComposeModel, ComposeRefused

KEYS = (
    *("services", "networks", "volumes", "configs", "secrets", "include", "name", "web", "image", "build", "context"),
    *("environment", "labels", "extends", "file", "env_file", "label_file", "volumes_from", "driver_opts", "ipam"),
    *("config", "driver", "external", "path", "deploy", "resources", "source", "type", "x-a"),
)
TEXTS = st.sampled_from(["${A}", "web", "./a", "../a", "a=b", "", "$"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


class NoCompose:
    """Has nothing to say: the text alone is judged."""

    def read(self, *_files: object, **_options: object) -> ComposeModel:
        """No model."""
        raise ComposeRefused("nothing was asked")


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4), VALUES, VALUES)
def test_any_document_gets_sentences(values: dict[str, Any], service: Any, other: Any) -> None:
    text = yaml.safe_dump({"services": {"web": service}, **values})
    files = {"compose.yaml": text.encode(), "a": yaml.safe_dump(other).encode()}
    problems = Inspection(files=files, manifest={}, reader=NoCompose()).run()
    assert all(problem.message.endswith((".", "…")) for problem in problems)


@pytest.mark.parametrize("content", ["just text", "[a, b]", "", "services: 5", "5"])
def test_extended_file_that_is_no_composition_is_a_problem(content: str) -> None:
    files = {
        "compose.yaml": b"services: {web: {extends: {file: base.yaml, service: base}}}",
        "base.yaml": content.encode(),
    }
    problems = Inspection(files=files, manifest={}, reader=ComposeConfig()).run()
    assert any(str(problem).startswith(("compose.yaml", "base.yaml")) for problem in problems if not problem.is_warning)
