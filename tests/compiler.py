"""Whether there is a C compiler, for the tests that need one: a wheel is tested where none is."""

from __future__ import annotations

import os
import shutil

import pytest

needs_compiler = pytest.mark.skipif(not shutil.which((os.environ.get("CC") or "cc").split()[0]), reason="no C compiler")
