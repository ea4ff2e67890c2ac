"""The faces of packages: what they list loads, has a docstring, and stays itself whoever imports the modules behind."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest

import ratemod as rm


@pytest.mark.parametrize("package", rm._FACES)
def test_every_name_of_a_face_loads_and_says_what_it_is(package):
    face = getattr(rm, package)
    assert len(face.__all__) > 20 and set(face.__all__) <= set(dir(face))
    for name in face.__all__:
        found = getattr(face, name)
        if not inspect.ismodule(found) and not callable(found):
            continue  # a table
        assert inspect.ismodule(found) or inspect.getdoc(found), name
        home = found.__name__ if inspect.ismodule(found) else found.__module__
        assert home.startswith("ratemod."), name


def test_a_function_is_not_hidden_by_the_module_of_its_name():
    first = "import ratemod.ratemaking.reserve, ratemod.fund.levy, ratemod as rm; "
    then = "assert callable(rm.ratemaking.reserve) and callable(rm.fund.levy)"
    assert subprocess.run([sys.executable, "-c", first + then], timeout=60).returncode == 0
    assert import_module("ratemod.ratemaking.reserve").reserve is rm.ratemaking.reserve


def test_what_is_not_listed_is_no_name_of_the_package():
    with pytest.raises(AttributeError, match=r"'ratemod.ratemaking' has no attribute 'labelled_as'"):
        _ = rm.ratemaking.labelled_as


# Modules whose functions serve their package alone, though they say what they take and show it.
INSIDE = {
    "experience": set(),
    "ratemaking": {"cluster", "cross_product", "curves", "design", "model_rows", "row_sums"},
}


def on_face(package):
    """Return the names that a face lists, by the module that they are written in."""
    face, held = getattr(rm, package), {}
    for name in face.__all__:
        found = getattr(face, name)
        module = found.__name__ if inspect.ismodule(found) else getattr(found, "__module__", "")
        held.setdefault(module, set()).update(vars(found) if inspect.ismodule(found) else {name})
    return held


def told(module, *parts):
    """Return the functions of a module whose docstrings have all these parts."""
    for name, found in vars(module).items():
        own = inspect.isfunction(found) and found.__module__ == module.__name__ and not name.startswith("_")
        if own and all(f"{part}\n---" in (inspect.getdoc(found) or "") for part in parts):
            yield name, found


@pytest.mark.parametrize("package", rm._FACES)
def test_a_face_lists_every_function_of_the_modules_that_it_shows(package):
    top = {id(getattr(rm, name)) for name in rm.__all__}
    lacking = [
        f"{module}.{name}"
        for module, listed in on_face(package).items()
        if module.startswith(f"ratemod.{package}.")
        for name, found in told(import_module(module), "Parameters")
        if name not in listed and id(found) not in top and name != "weighted"  # `shapley` in whole numbers
    ]
    assert not lacking


@pytest.mark.parametrize("package", INSIDE)
def test_no_module_with_functions_for_users_is_missing_from_its_face(package):
    shown = on_face(package)
    top = {id(getattr(rm, name)) for name in rm.__all__}
    modules = [one.name for one in iter_modules(getattr(rm, package).__path__)]
    full = {
        name
        for name in modules
        for _, found in told(import_module(f"ratemod.{package}.{name}"), "Parameters", "Examples")
        if f"ratemod.{package}.{name}" not in shown and id(found) not in top
    }
    assert full == INSIDE[package]
