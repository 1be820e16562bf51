import subprocess
import sys

import pytest

from stratoscope import _compat
from stratoscope._compat import import_torchvision


def test_torchvision_imports_with_models_and_transforms():
    torchvision = import_torchvision()
    assert callable(torchvision.models.get_model)
    assert callable(torchvision.transforms.Resize)


def test_a_second_call_gives_the_same_module():
    assert import_torchvision() is import_torchvision()


def test_it_recovers_after_somebody_else_tried_the_plain_import():
    script = (
        "from stratoscope._compat import import_torchvision\n"
        "try:\n    import torchvision\nexcept RuntimeError:\n    pass\n"
        "import_torchvision()\nimport torchvision.models\nprint('whole')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "whole"


def test_where_torchvision_is_whole_nothing_is_declared(monkeypatch):
    whole = object()
    monkeypatch.setattr(_compat.importlib, "import_module", lambda name: whole)
    monkeypatch.setattr(_compat, "_declare_missing", lambda: pytest.fail("declared without need"))
    assert import_torchvision() is whole


def test_another_failure_of_the_import_is_not_swallowed(monkeypatch):
    def fail(name):
        raise RuntimeError("compiled with different CUDA major versions")

    monkeypatch.setattr(_compat.importlib, "import_module", fail)
    with pytest.raises(RuntimeError, match="different CUDA"):
        import_torchvision()
