"""scripts/destroy.sh asks for the name, lets buckets go with all that is in them, and says what is left."""

from collections.abc import Callable

import pytest

from scripts.aws import destroy
from scripts.aws.first_alert import Patience
from scripts.aws.leftovers import Scan, fate, scan
from tests.terraform.mocked import ACCOUNT, REGION
from tests.terraform.scenario import NAME, TAGS, Person, change, plan

SET = ("demo", "--var", 'allowed_cidrs=["203.0.113.7/32"]')
AT_ONCE = Patience(0, 0)
ARN, PLACE = "arn:aws", f"{REGION}:{ACCOUNT}"
TAG_LIST = [{"Key": key, "Value": value} for key, value in TAGS.items()]

BUCKETS = "module.stack.module.storage.aws_s3_bucket"
REPOSITORY = 'module.stack.module.build.aws_ecr_repository.these["jobs"]'
STANDS = plan(
    change(f"{BUCKETS}.data", "delete", before={"bucket": "the-data", "force_destroy": False}),
    change(f"{BUCKETS}.work", "delete", before={"bucket": "the-work", "force_destroy": True}),
    change(REPOSITORY, "delete", before={"name": "fraud-demo/jobs", "force_delete": False}),
    change("module.stack.aws_eip.nat", "delete", before={"id": "eipalloc-1"}),
)


@pytest.fixture
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left has tests of its own; the account is shared."""
    monkeypatch.setattr(destroy, "scan", lambda *_: Scan())


@pytest.mark.usefixtures("nothing_is_left")
def test_buckets_and_repositories_are_made_to_go_before_all_is_destroyed(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person.finds(STANDS)
    person.types(f"{NAME}\n")
    assert destroy.main(SET) == 0
    said = capsys.readouterr().err
    assert f"{NAME} in {REGION}: 4 resources are to be destroyed" in said
    assert "  1 ecr repository, 1 eip, 2 s3 bucket" in said
    assert f"  {BUCKETS}.data: the-data\n" in said
    assert f"Type the stack's name, {NAME}, to destroy it with all its data:" in said
    assert "nothing else is left" in said
    emptied, destroyed = person.calls("apply", "destroy")
    assert emptied[0] == "apply"
    assert [part for part in emptied if part.startswith("-target=")] == [
        f"-target={BUCKETS}.data",  # the other one's state has it already
        f"-target={REPOSITORY}",
    ]
    assert "-var=disposable=true" in emptied
    assert destroyed[:3] == ["destroy", "-input=false", "-auto-approve"]
    assert f"-var={SET[2]}" in destroyed


@pytest.mark.parametrize("answer", ["y\n", "fraud\n", ""])
def test_another_answer_than_the_name_destroys_nothing(
    answer: str, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person.finds(STANDS)
    person.types(answer)
    assert destroy.main(SET) == 2
    assert person.calls("apply", "destroy") == []
    assert capsys.readouterr().err.endswith("error: nothing was changed\n")


def test_without_a_terminal_it_destroys_nothing(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    person.finds(STANDS)
    assert destroy.main(SET) == 2
    assert person.calls("apply", "destroy") == []
    assert "there is nobody to ask; say --yes" in capsys.readouterr().err


@pytest.mark.usefixtures("nothing_is_left")
def test_a_destroy_that_fails_is_run_once_more(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    person.finds(STANDS, codes={"destroy": [1]})
    assert destroy.main((*SET, "--yes")) == 0
    assert len(person.calls("destroy")) == 2
    assert "once more: late logs may have filled a bucket again" in capsys.readouterr().err


def test_a_destroy_that_fails_twice_says_what_still_stands(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = ["data.aws_caller_identity.this", "module.stack.data.aws_ami.this", f"{BUCKETS}.data"]
    person.finds(STANDS, codes={"destroy": [1, 1]}, state=rest)
    assert destroy.main((*SET, "--yes")) == 1
    assert f"1 resources still stand, and may cost, such as {BUCKETS}.data;" in capsys.readouterr().err


def test_nothing_is_destroyed_when_buckets_cannot_be_made_to_go(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    person.finds(STANDS, codes={"apply": [1]})
    assert destroy.main((*SET, "--yes")) == 1
    assert person.calls("destroy") == []
    assert "nothing was destroyed" in capsys.readouterr().err


def test_missing_credentials_are_one_line(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    person.lacks("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    assert destroy.main((*SET, "--yes")) == 2
    assert "credentials: Unable to locate credentials" in capsys.readouterr().err
    assert person.calls("apply", "destroy") == []


def test_what_is_left_is_listed_and_a_second_run_finds_it_gone(
    person: Person, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destroy, "INDEX", AT_ONCE)
    logs, topics = person.account.client("logs"), person.account.client("sns")
    topic = topics.create_topic(Name="left", Tags=TAG_LIST)["TopicArn"]
    logs.create_log_group(logGroupName=f"/{NAME}/job")  # made anew by a late line: without tags
    logs.create_log_group(logGroupName=f"/{NAME}-2/job")
    person.finds(STANDS)
    assert destroy.main((*SET, "--yes")) == 1
    said = capsys.readouterr()
    group = f"arn:aws:logs:{REGION}:123456789012:log-group:/{NAME}/job"
    assert said.out.splitlines() == [group, topic]
    assert "error: 2 things are left, and may cost; delete them by hand:" in said.err
    topics.delete_topic(TopicArn=topic)
    logs.delete_log_group(logGroupName=f"/{NAME}/job")
    person.finds(plan())
    assert destroy.main((*SET, "--yes")) == 0
    assert person.calls("apply", "destroy") == []
    assert f"Terraform's state holds nothing of {NAME}" in capsys.readouterr().err


def key(person: Person, tags: list[dict[str, str]]) -> tuple[str, Callable[[], object]]:
    client = person.account.client("kms")
    tags = [{"TagKey": each["Key"], "TagValue": each["Value"]} for each in tags]
    made = client.create_key(Tags=tags)["KeyMetadata"]
    return made["Arn"], lambda: client.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)


def secret(person: Person, tags: list[dict[str, str]]) -> tuple[str, Callable[[], object]]:
    client = person.account.client("secretsmanager")
    arn = client.create_secret(Name="kept", SecretString="x", Tags=tags)["ARN"]
    return arn, lambda: client.delete_secret(SecretId=arn, RecoveryWindowInDays=7)


def task_definition(person: Person, tags: list[dict[str, str]]) -> tuple[str, Callable[[], object]]:
    client = person.account.client("ecs")
    tags = [{"key": each["Key"], "value": each["Value"]} for each in tags]
    made = client.register_task_definition(
        family="kept", containerDefinitions=[{"name": "a", "image": "a", "memory": 8}], tags=tags
    )
    arn = made["taskDefinition"]["taskDefinitionArn"]
    return arn, lambda: client.deregister_task_definition(taskDefinition=arn)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (key, "a key, which AWS deletes on 20"),
        (secret, "a secret, which AWS deletes after 20"),
        (task_definition, "a task definition, inactive"),
    ],
)
def test_what_aws_keeps_is_named_with_the_reason_and_is_not_left(
    make: Callable[[Person, list[dict[str, str]]], tuple[str, Callable[[], object]]], why: str, person: Person
) -> None:
    name = f"stack-of-{make.__name__}"
    arn, delete = make(person, [TAG_LIST[0], {"Key": "Stack", "Value": name}])
    assert scan(name, REGION, AT_ONCE) == Scan({}, [arn])
    delete()
    found = scan(name, REGION, AT_ONCE)
    assert found.left == []
    assert found.kept[arn].startswith(why)


def machine(person: Person) -> tuple[str, Callable[[], object]]:
    client = person.account.client("ec2")
    made = client.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, InstanceType="t4g.medium")
    number = made["Instances"][0]["InstanceId"]
    return f"{ARN}:ec2:{PLACE}:instance/{number}", lambda: client.terminate_instances(InstanceIds=[number])


def nat_gateway(person: Person) -> tuple[str, Callable[[], object]]:
    client = person.account.client("ec2")
    subnet = client.describe_subnets()["Subnets"][0]["SubnetId"]
    made = client.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]
    number = made["NatGatewayId"]
    return f"{ARN}:ec2:{PLACE}:natgateway/{number}", lambda: client.delete_nat_gateway(NatGatewayId=number)


def endpoint(person: Person) -> tuple[str, Callable[[], object]]:
    client = person.account.client("ec2")
    network = client.describe_vpcs()["Vpcs"][0]["VpcId"]
    service = {"ServiceName": f"com.amazonaws.{REGION}.s3", "VpcEndpointType": "Gateway"}
    made = client.create_vpc_endpoint(VpcId=network, **service)
    number = made["VpcEndpoint"]["VpcEndpointId"]
    arn = f"{ARN}:ec2:{PLACE}:vpc-endpoint/{number}"
    return arn, lambda: client.delete_vpc_endpoints(VpcEndpointIds=[number])


def spark_cluster(person: Person) -> tuple[str, Callable[[], object]]:
    number = person.stack("ended")["emr_cluster_id"]
    client = person.account.client("emr")
    arn = f"{ARN}:elasticmapreduce:{PLACE}:cluster/{number}"
    return arn, lambda: client.terminate_job_flows(JobFlowIds=[number])


def container_cluster(person: Person) -> tuple[str, Callable[[], object]]:
    client = person.account.client("ecs")
    arn = client.create_cluster(clusterName="ended")["cluster"]["clusterArn"]
    return arn, lambda: client.delete_cluster(cluster=arn)


def container_service(person: Person) -> tuple[str, Callable[[], object]]:
    client = person.account.client("ecs")
    cluster = client.create_cluster(clusterName="of-a-service")["cluster"]["clusterArn"]
    task = {"name": "a", "image": "a", "memory": 8}
    client.register_task_definition(family="served", containerDefinitions=[task])
    made = client.create_service(cluster=cluster, serviceName="a", taskDefinition="served", desiredCount=0)
    arn = made["service"]["serviceArn"]
    return arn, lambda: client.delete_service(cluster=cluster, service=arn, force=True)


@pytest.mark.parametrize(
    "make", [machine, nat_gateway, endpoint, spark_cluster, container_cluster, container_service]
)
def test_what_aws_remembers_for_a_while_after_its_end_is_not_left(
    make: Callable[[Person], tuple[str, Callable[[], object]]], person: Person
) -> None:
    arn, delete = make(person)
    assert fate(arn, REGION) is None
    delete()
    assert fate(arn, REGION) == ""


def test_other_stacks_are_not_left(person: Person) -> None:
    tags = [TAG_LIST[0], {"Key": "Stack", "Value": "stack-of-another"}]
    person.account.client("sns").create_topic(Name="another", Tags=tags)
    assert len(scan("stack-of-another", REGION, AT_ONCE).left) == 1
    assert scan("stack-of", REGION, AT_ONCE) == Scan({}, [])


def test_the_index_is_read_until_it_is_up_to_date(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    topics = person.account.client("sns")
    tags = [TAG_LIST[0], {"Key": "Stack", "Value": "stack-of-the-index"}]
    arn = topics.create_topic(Name="index", Tags=tags)["TopicArn"]
    monkeypatch.setattr("time.sleep", lambda _: topics.delete_topic(TopicArn=arn))
    assert scan("stack-of-the-index", REGION, Patience(60, 1)) == Scan({}, [])
