"""Files of variables, as Compose reads `.env` and `env_file`: NAME=value, quotes, comments, variables of earlier lines.

*Source*: docs.docker.com/compose/how-tos/environment-variables/variable-interpolation, "Env file syntax".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from simvirt.importers.interpolation import Uninterpolable, interpolated

LINE: Final = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*(?:=|:[ \t])[ \t]*(?:'((?:\\'|[^'])*)'|"((?:\\"|[^"])*)"|((?:[^\n#]|(?<=\S)#)*))[^\n]*$""",
    re.MULTILINE,
)
"""A line: its name, and its value in single quotes, in double quotes, or without."""
ESCAPES: Final = {r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\"": '"', "\\\\": "\\"}


def variables_of(text: str, known: Mapping[str, str]) -> dict[str, str]:
    """The variables of a file; those that are `known` win inside values, as those of the shell do."""
    found: dict[str, str] = {}
    for line in LINE.finditer(text):
        name, single, double, bare = line.groups()
        if single is not None:
            found[name] = single.replace(r"\'", "'")
            continue
        value = re.sub(r'\\[nrt"\\]', lambda escape: ESCAPES[escape.group()], double) if double is not None else (bare or "").strip()
        try:
            found[name] = interpolated(value, {**found, **known})
        except Uninterpolable:
            found[name] = value
    return found
