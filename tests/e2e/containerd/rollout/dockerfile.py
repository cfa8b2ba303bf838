"""The project's Dockerfile, read: its stages, their steps, and what containers of the image run.

Only what the file uses is known. Whatever else is written into it raises, so that an instruction
that these tests do not carry out cannot come in unseen.
"""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_CONTINUED = re.compile(r"\\\n")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Step:
    instruction: str
    text: str
    """As it is written, continuation lines included."""


@dataclass
class Stage:
    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def texts(self, instruction: str) -> list[str]:
        return [step.text for step in self.steps if step.instruction == instruction]


def stages(dockerfile: str) -> list[Stage]:
    """In order. Build arguments above the first stage have their defaults."""
    found: list[Stage] = []
    arguments: dict[str, str] = {}
    for step in _steps(dockerfile):
        if step.instruction == "FROM":
            base, _, name = step.text.partition(" AS ")
            found.append(Stage(_VARIABLE.sub(lambda one: arguments[one[1]], base), name.strip()))
        elif found:
            found[-1].steps.append(step)
        elif step.instruction == "ARG":
            name, _, value = step.text.partition("=")
            arguments[name] = value
        else:
            raise ValueError(f"{step.instruction} stands before the first FROM")
    return found


def _steps(dockerfile: str) -> list[Step]:
    lines = [line for line in dockerfile.split("\n") if not line.lstrip().startswith("#")]
    joined = _CONTINUED.sub("\0", "\n".join(lines)).split("\n")
    parts = [line.replace("\0", "\\\n").split(None, 1) for line in joined if line.strip()]
    return [Step(instruction, text.strip()) for instruction, text in parts]


def run_config(stage: Stage, base: Mapping[str, object]) -> dict[str, object]:
    """The `config` of the OCI image of this stage, on a base image with that of its own."""
    config = dict(base)
    environment = dict(_pairs(config.get("Env", [])))
    for step in stage.steps:
        if step.instruction == "ENV":
            environment |= dict(_pairs(shlex.split(_CONTINUED.sub(" ", step.text))))
        elif step.instruction == "ENTRYPOINT":
            config |= {"Entrypoint": json.loads(step.text)}
            config.pop("Cmd", None)  # as docker build does: the base's is not meant for it
        elif step.instruction == "CMD":
            config |= {"Cmd": json.loads(step.text)}
        elif step.instruction == "USER":
            config |= {"User": step.text}
        elif step.instruction == "WORKDIR":
            config |= {"WorkingDir": step.text}
        elif step.instruction not in ("COPY", "RUN"):
            raise ValueError(f"these tests do not know {step.instruction} of a Dockerfile")
    return config | {"Env": [f"{name}={value}" for name, value in environment.items()]}


def _pairs(words: object) -> list[tuple[str, str]]:
    assert isinstance(words, Sequence)
    return [(name, value) for name, _, value in (str(word).partition("=") for word in words)]
