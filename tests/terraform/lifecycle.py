"""A stack's life in a simulated account: faults, apply, changes, drift, more faults, destroy. Facts only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.terraform.account import Account
from tests.terraform.deployment import Deployment, Run
from tests.terraform.mocked import VARIANTS, Variant
from tests.terraform.residue import STATELESS, LISTS, Contents, contents, residue


@dataclass(frozen=True)
class Mode:
    """One way to deploy the stack, and what is to fail as it is made and as it is destroyed."""

    variant: Variant
    creation_faults: tuple[str, ...] = ()
    deletion_faults: tuple[str, ...] = ()
