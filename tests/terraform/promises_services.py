"""Promises about load balancer, containers, build and schedule."""

import json
from collections.abc import Iterator
from typing import Any

from tests.terraform.mocked import ACCOUNT, CERTIFICATE, OIDC, REGION, Stack


def the_load_balancer_asks_who_is_there(stack: Stack) -> Iterator[str]:
    listener = stack.one("aws_lb_listener").values
    https = stack.options.get("certificate_arn")
    expected = ("HTTPS", 443, CERTIFICATE) if https else ("HTTP", 80, None)
    if (listener["protocol"], listener["port"], listener["certificate_arn"]) != expected:
        yield f"listener: {listener['protocol']} at port {listener['port']}"
    if https and "TLS13-1-2" not in listener["ssl_policy"]:
        yield f"listener: old TLS by {listener['ssl_policy']}"
    if not https and not stack.options.get("allow_plain_http"):
        yield "listener: plain HTTP that nobody accepted"
    if [action["type"] for action in listener["default_action"]] != ["fixed-response"]:
        yield "listener: its default action asks nobody who he is"
    for rule in stack.of("aws_lb_listener_rule"):
        actions = sorted(rule.values["action"], key=lambda action: int(action["order"]))
        if not stack.options.get("oidc"):
            if [action["type"] for action in actions] != ["forward"]:
                yield f"{rule.address}: {[action['type'] for action in actions]}"
            continue
        if [action["type"] for action in actions] != ["authenticate-oidc", "forward"]:
            yield f"{rule.address} lets people through without log-in"
            continue
        (login,) = actions[0]["authenticate_oidc"]
        if login["on_unauthenticated_request"] != "authenticate" or login["issuer"] != OIDC["issuer"]:
            yield f"{rule.address} lets people through without log-in"
    balancer = stack.one("aws_lb").values
    if not balancer["drop_invalid_header_fields"]:
        yield "load balancer: lets invalid headers through"


def the_dashboard_believes_its_own_load_balancer_alone(stack: Stack) -> Iterator[str]:
    (dashboard,) = containers(stack, "dashboard")
    signers = [each["value"] for each in dashboard["environment"] if each["name"] == "FRAUD_LOGIN_SIGNER"]
    expected = [stack.one("aws_lb").values["arn"]] if stack.options.get("oidc") else []
    if signers != expected:
        yield f"dashboard: log-ins of {signers} are believed, not of {expected}"


def kafdrop_is_hidden_and_can_change_nothing(stack: Stack) -> Iterator[str]:
    served = {str(each.index) for each in stack.of("aws_lb_listener_rule")}
    visible = stack.private or stack.options.get("kafdrop_public", False)
    if served != ({"dashboard", "kafdrop"} if visible else {"dashboard"}):
        yield f"load balancer: serves {sorted(served)}"
    (kafdrop,) = containers(stack, "kafdrop")
    environment = {each["name"]: each["value"] for each in kafdrop["environment"]}
    if environment["CMD_ARGS"] != "--topic.deleteEnabled=false --topic.createEnabled=false":
        yield "kafdrop: topics can be made or deleted"
    if environment["MANAGEMENT_ENDPOINTS_WEB_EXPOSURE_INCLUDE"] != "health":
        yield "kafdrop: shows more of itself than its health"


def containers(stack: Stack, component: str) -> list[Any]:
    """The containers of a component's task."""
    text = stack.one("aws_ecs_task_definition", "these", component).values["container_definitions"]
    return list(json.loads(text))


def containers_are_closed_and_hold_no_secret(stack: Stack) -> Iterator[str]:
    architecture = stack.options.get("cpu_architecture", "arm64").upper()
    for task in stack.of("aws_ecs_task_definition"):
        if task.values["runtime_platform"][0]["cpu_architecture"] != architecture:
            yield f"{task.address} is of another architecture"
        for container in json.loads(task.values["container_definitions"]):
            if not container["readonlyRootFilesystem"] and task.index != "kafdrop":
                yield f"{task.address}: {container['name']} writes to its root"
            if container.get("privileged"):
                yield f"{task.address}: {container['name']} is privileged"
            for variable in container["environment"]:
                if any(word in variable["name"] for word in ("PASSWORD", "SECRET", "USERNAME")):
                    yield f"{task.address}: {variable['name']} lies open"
    (producer, init) = containers(stack, "producer")
    if producer["dependsOn"] != [{"containerName": "init", "condition": "SUCCESS"}] or init["essential"]:
        yield "producer: starts before the topics are there"
    if init["command"][:3] != ["python", "-m", "jobs.init"]:
        yield "producer: its init container does something else"


def services_roll_back_and_are_waited_for(stack: Stack) -> Iterator[str]:
    counts = {"dashboard": 1, "kafdrop": 1, "producer": stack.options.get("producer_count", 1)}
    found = {str(each.index): each.values["desired_count"] for each in stack.of("aws_ecs_service")}
    if found != counts:
        yield f"services: {found}, not {counts}"
    for service in stack.of("aws_ecs_service"):
        if service.values["deployment_circuit_breaker"] != [{"enable": True, "rollback": True}]:
            yield f"{service.address} does not roll back"
        if not service.values["wait_for_steady_state"]:
            yield f"{service.address} is not waited for"
        if service.values["enable_execute_command"]:
            yield f"{service.address} opens a shell"
    health = {
        str(each.index): each.values["health_check"][0]["path"] for each in stack.of("aws_lb_target_group")
    }
    if (
        health.get("dashboard") != "/_stcore/health"
        or health.get("kafdrop", "/kafdrop/actuator/health") != "/kafdrop/actuator/health"
    ):
        yield f"target groups: health is asked at {health}"
    for group in stack.of("aws_lb_target_group"):
        (sticky,) = group.values["stickiness"]
        if (sticky["enabled"], sticky["type"]) != (True, "lb_cookie"):
            yield f"{group.address} sends one session to several containers"


def a_failed_build_fails_the_apply(stack: Stack) -> Iterator[str]:
    template = json.loads(stack.one("aws_cloudformation_stack").values["template_body"])
    build = template["Resources"]["Build"]["Properties"]
    if build["ServiceTimeout"] != "1800" or len(build["SourceHash"]) != 64:
        yield "build: it does not follow the sources, or is waited for too short"
    if len(template["Resources"]["Starter"]["Properties"]["Code"]["ZipFile"]) > 4096:
        yield "build: the starter is longer than inline code may be"
    project = stack.one("aws_codebuild_project").values
    if project["build_timeout"] * 60 >= 1800 or project["concurrent_build_limit"] != 1:
        yield "build: it may take longer than it is waited for, or run twice at once"
    given = {each["name"]: each["value"] for each in project["environment"][0]["environment_variable"]}
    minutes = project["queued_timeout"] + 2 + int(given["TIME_LIMIT"].removesuffix("m"))  # 2 to get a machine
    if minutes >= 30:
        yield "build: it may end too late to report its log"
    if project["source"][0]["location"] != "work/sources/" or not project["source"][0][
        "buildspec"
    ].startswith("#"):
        yield "build: it reads other sources"
    kind = {"arm64": "ARM_CONTAINER", "x86_64": "LINUX_CONTAINER"}[
        stack.options.get("cpu_architecture", "arm64")
    ]
    if project["environment"][0]["type"] != kind:
        yield "build: machines of another architecture"


def maintenance_runs_hourly(stack: Stack) -> Iterator[str]:
    # Known before the task is: else each change of code would change the schedules, too.
    task = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{stack.options['name']}-maintenance"
    minutes = {
        "compact": 20,
        "reconcile": 40,
    }  # a reconciliation plans for an hour that compaction leaves alone
    schedules = {str(each.index): each.values for each in stack.of("aws_scheduler_schedule")}
    if schedules.keys() != minutes.keys():
        yield f"maintenance: {sorted(schedules)} are scheduled"
    for program, schedule in schedules.items():
        (target,) = schedule["target"]
        (parameters,) = target["ecs_parameters"]
        expression = f"cron({minutes.get(program)} * * * ? *)"
        if schedule["schedule_expression"] != expression or parameters["group"] != "maintenance":
            yield f"{program}: not each hour, or under another name than its alarm looks for"
        if parameters["task_definition_arn"] != task:
            yield f"{program}: the schedule starts {parameters['task_definition_arn']}"
        command = ["python", "-m", f"jobs.{program}"]
        if json.loads(target["input"]) != {
            "containerOverrides": [{"name": "maintenance", "command": command}]
        }:
            yield f"{program}: the schedule runs {target['input']}"
