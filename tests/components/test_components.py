"""House rules of components: one folder, one name, one import and one call, every input documented."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import components
from components.images import IMAGES

ROOT = Path(components.__path__[0])
NAMES = sorted(path.parent.name for path in ROOT.glob("*/component.py"))


def _function(name: str) -> ast.FunctionDef:
    tree = ast.parse((ROOT / name / "component.py").read_text())
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return function


@pytest.mark.parametrize("name", NAMES)
def test_component_is_named_as_its_folder(name: str) -> None:
    assert _function(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_component_is_one_import_and_one_call(name: str) -> None:
    docstring, imported, call = _function(name).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(imported, ast.ImportFrom)
    assert isinstance(call, ast.Expr | ast.Return)
    assert isinstance(call.value, ast.Call)


@pytest.mark.parametrize("name", NAMES)
def test_component_calls_its_step_with_as_many_arguments_as_it_has(name: str) -> None:
    step = getattr(importlib.import_module(f"glassline.steps.{name}"), name)
    call = _function(name).body[-1].value
    assert len(call.args) == len(inspect.signature(step).parameters)


@pytest.mark.parametrize("name", NAMES)
def test_component_documents_every_input(name: str) -> None:
    function = _function(name)
    documented = ast.get_docstring(function) or ""
    for argument in function.args.args:
        assert f"\n    {argument.arg}: " in documented


@pytest.mark.parametrize("name", NAMES)
def test_component_takes_its_image_from_the_one_place(name: str) -> None:
    component = getattr(importlib.import_module(f"components.{name}.component"), name)
    image = component.component_spec.implementation.container.image
    assert image in {IMAGES.vision, IMAGES.training}
