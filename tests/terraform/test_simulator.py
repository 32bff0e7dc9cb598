"""The simulated AWS: faults come as each service's own errors, and what it hides is covered by promises."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.terraform import simulator
from tests.terraform.account import Account
from tests.terraform.promises import PROMISES
from tests.terraform.residue import contents, residue
from tests.terraform.simulator.hides import HIDDEN
from tests.terraform.simulator.repeats import Repeats

# One operation of each protocol that the services speak.
OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "kafka:ListConfigurations": ("kafka", "list_configurations", {}),
    "emr:ListSecurityConfigurations": ("emr", "list_security_configurations", {}),
    "elbv2:DescribeLoadBalancers": ("elbv2", "describe_load_balancers", {}),
    "ec2:DescribeNatGateways": ("ec2", "describe_nat_gateways", {}),
    "s3:PutBucketPolicy": ("s3", "put_bucket_policy", {"Bucket": "bucket", "Policy": '{"Statement": []}'}),
}
TLS_ONLY = """{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}"""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with a bucket."""
    with Account(tmp_path_factory.mktemp("account") / "log") as account:
        account.client("s3").create_bucket(Bucket="bucket")
        yield account


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_fault_happens_as_often_as_asked_for(account: Account, name: str) -> None:
    service, operation, arguments = OPERATIONS[name]
    call = getattr(account.client(service), operation)
    account.fail({name: 1})
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == "InjectedFault"
    assert name in caught.value.response["Error"]["Message"]
    assert account.faults_left() == {}
    call(**arguments)
    assert service in account.services_called()


def test_a_call_that_is_repeated_under_its_invocation_id_happens_once() -> None:
    done: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        done.append(environ["PATH_INFO"])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{len(done)}".encode()]

    answers: list[tuple[str, bytes]] = []
    call = Repeats(application)
    for path, invocation in (("/a", "1"), ("/a", "1"), ("/a", "2"), ("/b", ""), ("/b", "")):
        started: list[str] = []
        environ = {"PATH_INFO": path, "HTTP_AMZ_SDK_INVOCATION_ID": invocation}
        (body,) = call(environ, lambda status, _, to=started: to.append(status))
        answers.append((*started, body))
    assert done == ["/a", "/a", "/b", "/b"]
    assert answers == [("200 OK", number) for number in (b"1", b"1", b"2", b"3", b"4")]


def test_faults_that_have_not_happened_are_told(account: Account) -> None:
    account.fail({"kafka:CreateCluster": 2})
    assert account.faults_left() == {"kafka:CreateCluster": 2}
    account.fail({})
    assert account.faults_left() == {}


def test_an_operation_that_is_not_simulated_is_refused_at_once(account: Account) -> None:
    with pytest.raises(ClientError) as caught:
        account.client("kafka").list_nodes(ClusterArn="arn:aws:kafka:us-east-1:123456789012:cluster/a/b")
    assert caught.value.response["Error"]["Code"] == "NotSimulated"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_tls_only_policy_lets_the_simulators_plain_http_through(account: Account) -> None:
    client = account.client("s3")
    client.put_bucket_policy(Bucket="bucket", Policy=TLS_ONLY)
    client.put_object(Bucket="bucket", Key="key", Body=b"")
    assert client.list_objects_v2(Bucket="bucket")["KeyCount"] == 1


def test_a_group_that_another_names_cannot_be_deleted(account: Account) -> None:
    client = account.client("ec2")
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    one, other = (
        client.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("one", "other")
    )
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "UserIdGroupPairs": [{"GroupId": one, "Description": "why"}],
    }
    client.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    rules = client.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [other]}])
    assert "why" in {each.get("Description") for each in rules["SecurityGroupRules"]}
    with pytest.raises(ClientError, match="DependencyViolation"):
        client.delete_security_group(GroupId=one)
    client.revoke_security_group_ingress(GroupId=other, IpPermissions=[rule])
    client.delete_security_group(GroupId=one)


def test_the_scan_reads_every_page_and_sees_what_is_new(account: Account) -> None:
    before = contents(account.client)
    logs = account.client("logs")
    names = {f"/group/{number:03}" for number in range(120)}  # more than two pages
    for name in names:
        logs.create_log_group(logGroupName=name)
    account.client("emr").create_security_configuration(Name="left", SecurityConfiguration="{}")
    assert residue(before, contents(account.client)) == {
        "log group": names,
        "EMR security configuration": {"left"},
    }


def test_all_that_is_hidden_is_covered_by_promises_that_there_are() -> None:
    for module in pkgutil.iter_modules(simulator.__path__):
        importlib.import_module(f"{simulator.__name__}.{module.name}")
    services = {each.place.partition(".")[0] for each in HIDDEN}
    assert services >= {"ec2", "ecs", "elbv2", "emr", "iam", "kms", "msk", "s3", "cloudformation"}
    for each in HIDDEN:
        assert each.what
        assert each.promises, each
        assert set(each.promises) <= PROMISES.keys(), each
