"""Builds the compiled kernel and the compiled machine; without a C compiler the install succeeds and simvirt runs in plain mode."""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # builds in isolation do not look beside setup.py

from build_kernel import unity  # noqa: E402
from build_kernel.source import UNITS  # noqa: E402

UNITY = HERE / "build" / "unity"
CHECKED = os.environ.get("SIMVIRT_BOUNDSCHECK", "") not in ("", "0")


class BuildKernel(build_ext):
    """Joins, translates and compiles both modules."""

    def run(self) -> None:
        """Translate with Cython first: setuptools knows only C."""
        try:
            self.translate()
        except ImportError as missing:
            self.do_without(missing)
            self.extensions = []
        super().run()

    def build_extension(self, ext: Extension) -> None:
        """Compile; whatever is wrong with the compiler, or with there being none, the install goes on."""
        try:
            super().build_extension(ext)
        except (BaseError, CCompilerError, OSError) as failed:
            self.do_without(failed)

    def do_without(self, why: Exception) -> None:
        """Say that there will be no compiled kernel."""
        self.warn(f"the kernel is not compiled ({why}); simvirt will run in plain mode, some 80 times slower")

    def translate(self) -> None:
        """Turn the joined modules into C."""
        from Cython.Build import cythonize

        for unit in UNITS:
            unity.write_unity(UNITY / f"{unit.name}.py", CHECKED, unit)
        directives = dict(unity.DIRECTIVES, boundscheck=CHECKED)
        annotate = bool(os.environ.get("SIMVIRT_ANNOTATE"))
        self.extensions = cythonize(self.extensions, compiler_directives=directives, quiet=True, force=True, annotate=annotate)
        for unit, extension in zip(UNITS, self.extensions, strict=True):
            unity.keep_apart(HERE / extension.sources[0], unit)
            extension.optional = True
            extension._needs_stub = False


setup(
    cmdclass={"build_ext": BuildKernel},
    ext_modules=[
        Extension(
            f"simvirt.{unit.name}",
            [os.path.relpath(UNITY / f"{unit.name}.py", HERE)],
            extra_compile_args=["-O1" if CHECKED else "-O3", "-ffp-contract=off"] if os.name != "nt" else [],
            optional=True,
        )
        for unit in UNITS
    ],
)
