"""The faces of packages: what they list loads, has a docstring, and stays itself whoever imports the modules behind."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module

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
