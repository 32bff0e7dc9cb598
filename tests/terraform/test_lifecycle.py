"""The stack lives and dies in a simulated account, and leaves nothing."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.terraform.account import Account
from tests.terraform.changes import changes_of
from tests.terraform.deployment import Deployment
from tests.terraform.lifecycle import STACKS, Life, certified, live
from tests.terraform.residue import LISTS, STATELESS

KEPT = {
    "key pending deletion": "AWS deletes a key after 7 days at the earliest",
    "inactive task definition": "AWS keeps the names of old task definitions",
}
"""What stays after a destroy, by AWS's own rules."""

# Faults that can happen in one run: none keeps terraform from reaching another.
CREATION_FAULTS = {
    "demo": ("emr:RunJobFlow", "ecs:CreateService"),
    "private": (
        "kafka:CreateCluster",
        "elbv2:CreateLoadBalancer",
        "cloudformation:CreateStack",
        "ecs:CreateCluster",
    ),
}
DELETION_FAULTS = {
    "demo": ("emr:TerminateJobFlows", "ecs:DeleteService"),
    "private": ("kafka:DeleteCluster", "elbv2:DeleteLoadBalancer"),
}
DRILLS = {
    "kafka:CreateCluster": "kafka:DeleteCluster",
    "ecs:CreateCluster": "ecs:DeleteCluster",
    "emr:RunJobFlow": "emr:TerminateJobFlows",
    "elbv2:CreateLoadBalancer": "elbv2:DeleteLoadBalancer",
    "ecs:CreateService": "ecs:DeleteService",
    "ec2:CreateNatGateway": "ec2:DeleteNatGateway",
    "s3:PutBucketPolicy": "s3:DeleteBucketPolicy",
    "cloudformation:CreateStack": "cloudformation:DeleteStack",
}
"""Each fault alone: as the stack is made, to as it is destroyed."""

BETWEEN_BATCHES = ("rules", "job code")
"""Changes planned alone, for what they touch decides that the job goes on. The others with `--all`."""

pytestmark = pytest.mark.timeout(1800)


def of(name: str) -> object:
    """A stack as a parameter; most live with `--all` only."""
    return pytest.param(name, marks=[] if name in CREATION_FAULTS else pytest.mark.whole_matrix)


ALL = [of(name) for name in STACKS]
WITH_FAULTS = [of(name) for name in CREATION_FAULTS]


@pytest.fixture(scope="session")
def life_of(
    tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str], request: pytest.FixtureRequest
) -> Callable[[str], Life]:
    """`life_of(stack)`: the life of that stack, which it lives once."""
    whole = request.config.getoption("--all")
    lives: dict[str, Life] = {}
    broken_off: set[str] = set()

    def get(name: str) -> Life:
        if name in broken_off:
            pytest.fail("its life broke off: see the first test of this stack")
        if name not in lives:
            broken_off.add(name)
            folder = tmp_path_factory.mktemp("life")
            changes = changes_of(STACKS[name].options())
            with Account(folder / "account.log") as account:
                variant = certified(STACKS[name], account)
                deployment = Deployment(folder, account.environment(environment), variant)
                lives[name] = live(
                    account,
                    deployment,
                    creation_faults=CREATION_FAULTS.get(name, ()),
                    deletion_faults=DELETION_FAULTS.get(name, ()),
                    changes=changes,
                    alone=changes if whole else BETWEEN_BATCHES,
                )
            broken_off.remove(name)
        return lives[name]

    return get


def only_what_aws_keeps(life: Life) -> None:
    assert {kind: sorted(names) for kind, names in life.left.items() if kind not in KEPT} == {}
    assert life.left.keys() == KEPT.keys()  # a reason that has gone is none


@pytest.mark.parametrize("stack", WITH_FAULTS)
def test_a_second_run_goes_on_from_where_faults_stopped_the_first(
    stack: str, life_of: Callable[[str], Life]
) -> None:
    life = life_of(stack)
    assert life.faults_left == {}
    for name, faults in (
        ("broken apply", CREATION_FAULTS[stack]),
        ("broken destroy", DELETION_FAULTS[stack]),
    ):
        for fault in faults:
            assert any(fault in error for error in life.runs[name].errors), (name, fault)
    assert (life.runs["apply"].code, life.runs["destroy"].code) == (0, 0)


@pytest.mark.parametrize("stack", ALL)
def test_what_grows_or_is_added_beside_terraform_is_no_change(
    stack: str, life_of: Callable[[str], Life]
) -> None:
    plan = life_of(stack).runs["plan"]
    assert (plan.code, plan.changes) == (0, {})


@pytest.mark.parametrize("stack", ALL)
def test_a_change_touches_what_it_is_about_and_nothing_else(
    stack: str, life_of: Callable[[str], Life]
) -> None:
    changes = changes_of(STACKS[stack].options())
    life = life_of(stack)
    assert life.changes.keys() >= {*BETWEEN_BATCHES}
    assert life.changes == {name: changes[name].touches for name in life.changes}
    together: dict[str, str] = {}
    for change in changes.values():
        together.update(change.touches)
    assert life.runs["change"].changes == together


@pytest.mark.parametrize("stack", ALL)
def test_nothing_is_left_but_what_aws_keeps(stack: str, life_of: Callable[[str], Life]) -> None:
    only_what_aws_keeps(life_of(stack))


@pytest.mark.parametrize("stack", ALL)
def test_every_service_that_was_used_is_scanned(stack: str, life_of: Callable[[str], Life]) -> None:
    scanned = {each.service for each in LISTS}
    assert life_of(stack).services - scanned - STATELESS.keys() == set()


@pytest.mark.parametrize("stack", ALL)
def test_its_figures(stack: str, life_of: Callable[[str], Life], request: pytest.FixtureRequest) -> None:
    life = life_of(stack)
    assert life.resources > 200
    times = ", ".join(f"{name} {run.seconds:.0f} s" for name, run in life.runs.items())
    request.node.user_properties.append(("figures", f"{stack}: {life.resources} resources; {times}"))


@pytest.mark.whole_matrix
@pytest.mark.parametrize(("creation", "deletion"), DRILLS.items())
def test_each_fault_alone_is_survived(
    creation: str,
    deletion: str,
    tmp_path: Path,
    environment: Mapping[str, str],
    request: pytest.FixtureRequest,
) -> None:
    stack = STACKS["demo on MSK" if creation.startswith("kafka:") else "demo"]
    with Account(tmp_path / "account.log") as account:
        deployment = Deployment(tmp_path, account.environment(environment), stack)
        life = live(account, deployment, creation_faults=[creation], deletion_faults=[deletion])
    assert life.faults_left == {}
    only_what_aws_keeps(life)
    figures = f"{creation} and {deletion} failed once in {stack.name}: survived"
    request.node.user_properties.append(("figures", figures))
