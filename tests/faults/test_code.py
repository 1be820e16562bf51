"""Code of others: nothing from a file is ever run, but for the Python file that was named as the network."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import stratoscope as st
from stratoscope.errors import BadInput

SOURCE = Path(st.__file__).parent
UNPICKLERS = {
    "pickle",
    "cPickle",
    "_pickle",
    "cloudpickle",
    "dill",
    "joblib",
    "shelve",
    "marshal",
    "jsonpickle",
    "yaml",
}
#: The class that torch raises for a file with code; it loads nothing.
HARMLESS = {("pickle", "UnpicklingError")}
EVALUATORS = {"eval", "exec", "compile", "__import__"}
READERS = {"read_pickle", "unsafe_load", "full_load"}


def dangers(code):
    """Return every place of `code` where something from a file could be run."""
    return [f"line {node.lineno}: {found}" for node in ast.walk(ast.parse(code)) for found in _dangers_of(node)]


def _dangers_of(node):
    if isinstance(node, ast.Import):
        yield from (f"import {one.name}" for one in node.names if one.name.partition(".")[0] in UNPICKLERS)
    elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in UNPICKLERS:
        yield from (
            f"from {node.module} import {one.name}" for one in node.names if (node.module, one.name) not in HARMLESS
        )
    elif isinstance(node, ast.Call):
        yield from _dangers_of_call(node)


def _dangers_of_call(node):
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    given = {word.arg: getattr(word.value, "value", "?") for word in node.keywords}
    if isinstance(node.func, ast.Name) and name in EVALUATORS:
        yield f"{name}()"
    if name in READERS or (name == "import_module" and node.args and getattr(node.args[0], "value", "") in UNPICKLERS):
        yield name
    if (owner, name) in {("torch", "load"), ("torch.hub", "load"), ("hub", "load")} and given.get(
        "weights_only"
    ) is not True:
        yield f"{owner}.load without weights_only=True"
    if name == "load_state_dict_from_url" and given.get("weights_only") is not True:
        yield f"{name} without weights_only=True"
    if "allow_pickle" in given and given["allow_pickle"] is not False:
        yield "allow_pickle is not False"
    if owner in {"np", "numpy"} and name == "load" and given.get("allow_pickle") is not False:
        yield "np.load without allow_pickle=False"
    if given.get("shell", False) is not False or (owner, name) in {("os", "system"), ("os", "popen")}:
        yield "a shell"


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "import joblib", "from joblib import load", "import dill as d", "from pickle import loads", "import yaml",
        "from cloudpickle import load", "import a, marshal", "importlib.import_module('pickle')", "__import__('pickle')",
        "torch.load(path)", "torch.load(path, weights_only=False)", "torch.load(path, weights_only=flag)", "torch.hub.load('a/b', 'c')",
        "np.load(path)", "np.load(path, allow_pickle=True)", "numpy.load(path, allow_pickle=flag)", "f(allow_pickle=True)",
        "pd.read_pickle(path)", "eval(text)", "exec(text)", "compile(text, '', 'exec')", "subprocess.run(x, shell=True)",
        "os.system(x)", "load_state_dict_from_url(url)", "def f():\n    if x:\n        import pickle",
    ],
)  # fmt: skip
def test_the_search_finds_what_it_must(code):
    """Each way to run code from a file (pickle, joblib, dill, marshal, yaml, torch.load, np.load, eval, exec, a shell), written down -> the search of the source finds it."""
    assert dangers(code)


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("*.py")), ids=lambda file: file.relative_to(SOURCE).as_posix())
def test_no_module_can_run_code_from_a_file(file):
    """Unpickling or evaluating anywhere in the package -> none; every module's syntax tree is searched."""
    assert dangers(file.read_text(encoding="utf-8")) == []


def test_only_one_place_prints():
    """Printing beside the one place that escapes names -> none in the package."""
    printing = [
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        if re.search(r"^\s*print\(|click\.s?echo\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert printing == ["cli/say.py"]


FILES = {
    "def build(:\n": r"net\.py failed at line 1: SyntaxError",
    "import nonexistent_library\n": r"net\.py failed at line 1: ModuleNotFoundError: No module named 'nonexistent_library'",
    "def build():\n    return 1 / 0\n": r"net\.py failed at line 2: ZeroDivisionError",
    "def build():\n    return build()\n": r"net\.py failed at line 2: RecursionError",
    "import sys\nsys.exit(3)\n": r"net\.py failed at line 2: SystemExit: 3",
    "def build(size):\n    return size\n": r"net\.py failed at line 1: TypeError: build\(\) missing 1 required",
    "def build():\n    raise MemoryError\n": r"net\.py failed at line 2: MemoryError",
    "def build():\n    return None\n": r"'build' in 'net\.py' returned a NoneType\. It must return",
    "def biuld():\n    return 1\n": r"No function in net\.py is called 'build'\. Did you mean 'biuld'\?",
    "": r"No function in net\.py is called 'build'\.",
    "\0": r"net\.py failed at line 1: (ValueError|SyntaxError): source code string cannot contain null bytes",
    "raise ValueError('two\\nlines')\n": r"net\.py failed at line 1: ValueError: two",
}


@pytest.mark.parametrize("code", FILES)
def test_errors_inside_the_file_of_the_user(tmp_path, monkeypatch, type_in, code):
    """Errors inside FILE.py:function (syntax, import, exit, recursion, wrong signature or return, none of that name) -> one sentence with the line, exit code 2."""
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(code)
    with pytest.raises((BadInput, LookupError), match=FILES[code]):
        st.open_source("net.py:build")
    done = type_in("stages", "net.py:build")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1


def test_a_network_that_fails_in_the_pass(tmp_path, monkeypatch, type_in, place):
    """A network that raises in its forward pass -> one sentence with the kind of error, and nothing half-written."""
    Path("bad.py").write_text(
        "from torch import nn\n\n\nclass Bad(nn.Module):\n    def forward(self, x):\n        raise ValueError('my own mistake')\n\n\ndef build():\n    return Bad()\n"
    )
    done = type_in("profile", "bad.py:build", "photos", "--size", 16, "--out", "run")
    assert done.exit_code == 2
    assert "ValueError: my own mistake" in done.stderr
    assert not Path("run").exists()
