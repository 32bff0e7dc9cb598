"""Changes of `terraform/` that break a promise, each with the promise that must notice.

All mutations of a variant are made in one copy and applied once. `about` is in the sentence of that promise, and no
other mutation of the variant causes a sentence that holds it.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutation:
    """In `file` below `terraform/modules/`, `old` becomes `new`; `promise` must say something `about` it."""

    variant: str
    file: str
    old: str
    new: str
    promise: str
    about: str

    def make(self, configuration: Path) -> None:
        """Change the copy. Raises ValueError when there is nothing, or more than one thing, to change."""
        path = configuration / "modules" / self.file
        text = path.read_text("utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} holds {self.old!r} {text.count(self.old)} times, not once")
        path.write_text(text.replace(self.old, self.new), "utf-8")


def _in(variant: str, file: str, *changes: tuple[str, str, str, str]) -> list[Mutation]:
    return [Mutation(variant, file, *change) for change in changes]


_ENCRYPTED = "everything_is_encrypted_by_the_customer_key"
_IN_TRANSIT = "everything_in_transit_is_encrypted"
_BUCKETS = "buckets_are_private_and_speak_tls_only"
_EXPIRY = "what_is_needed_never_expires"
_FLOWS = "every_flow_is_expected_and_none_is_missing"
_LISTED = "only_listed_addresses_come_in"
_GROUPS = "groups_hold_no_rules_of_their_own"
_ADDRESS = "nothing_has_a_public_address"
_INTERNET = "the_way_to_the_internet_is_the_chosen_one"
_ENDPOINTS = "without_nat_every_service_has_an_endpoint"
_S3_ENDPOINT = "the_s3_endpoint_lets_only_named_buckets_through"
_KEY = "the_keys_policy_holds_every_statement"
_PASSWORDS = "passwords_lie_in_secrets_and_nowhere_else"  # noqa: S105  # the name of a promise
_LOGS = "log_groups_are_ours_and_keep_for_the_time_asked"
_DISPOSABLE = "only_the_disposable_is_deleted_with_its_content"
_WILDCARD = "no_wildcard_but_the_named_ones"
_METRICS = "metrics_go_into_the_stacks_namespaces_only"
_PASSED = "roles_are_passed_to_one_service_only"
_GRANTS = "grants_are_for_aws_only"
_PREFIXES = "each_component_touches_only_its_prefixes"
_OWN_SECRETS = "each_component_reads_only_its_secrets"  # noqa: S105  # the name of a promise
_IMDS = "machines_give_credentials_by_imdsv2_only"
_EMR = "emr_is_as_agreed"
_KEPT = "emr_is_never_replaced_for_a_change_of_code"
_KAFKA = "kafka_takes_tls_and_scram_only"
_BROKERS = "brokers_on_ec2_outlive_their_machines"
_LOGIN = "the_load_balancer_asks_who_is_there"
_KAFDROP = "kafdrop_is_hidden_and_can_change_nothing"
_CONTAINERS = "containers_are_closed_and_hold_no_secret"
_SERVICES = "services_roll_back_and_are_waited_for"
_BUILD = "a_failed_build_fails_the_apply"
_ALARMS = "every_failure_has_its_alarm"
_EVENTS = "events_without_a_metric_reach_the_topic"

MUTATIONS = [
    *_in(
        "standard", "storage/buckets.tf",
        ('"aws:SecureTransport" = "false"', '"aws:SecureTransport" = "true"', _BUCKETS, "answers without TLS"),
        ('Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }', 'Condition = { NumericLessThan = { "s3:TlsVersion" = "1.0" } }', _BUCKETS, "answers to old TLS"),
        ("block_public_policy     = true", "block_public_policy     = false", _BUCKETS, "block_public_policy is off"),
        ("restrict_public_buckets = true", "restrict_public_buckets = false", _BUCKETS, "restrict_public_buckets is off"),
        ('object_ownership = "BucketOwnerEnforced"', 'object_ownership = "ObjectWriter"', _BUCKETS, "access control lists"),
        ('sse_algorithm     = "aws:kms"', 'sse_algorithm     = "AES256"', _ENCRYPTED, "bucket data"),
        ("bucket_key_enabled = true", "bucket_key_enabled = false", _ENCRYPTED, "asks KMS for every object"),
        ('status = "Enabled"\n  }\n}\n\nresource "aws_s3_bucket_lifecycle_configuration" "data"', 'status = "Suspended"\n  }\n}\n\nresource "aws_s3_bucket_lifecycle_configuration" "data"', "data_has_versions_and_checkpoints_have_none", "not of data alone"),
        ('prefix = "emr-logs/"', 'prefix = "checkpoints/"', _EXPIRY, "bucket work"),
        ('"alerts/" = 30,', '"alerts_hourly/" = 30,', _EXPIRY, "bucket data: objects expire"),
        ('  bucket        = "${var.name}-work-${var.account_id}-${var.region}"\n  force_destroy = var.disposable', '  bucket        = "${var.name}-work-${var.account_id}-${var.region}"\n  force_destroy = true', _DISPOSABLE, "aws_s3_bucket.work"),
    ),
    *_in(
        "standard", "storage/key.tf",
        ("enable_key_rotation     = true", "enable_key_rotation     = false", _KEY, "does not rotate"),
        ('Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"]', 'Service = ["cloudwatch.amazonaws.com"]', _KEY, "AlarmsReachTheTopic"),
        ('Bool      = { "kms:GrantIsForAWSResource" = "true" }', 'Bool      = { "kms:GrantIsForAWSResource" = "false" }', _KEY, "EmrGrantsVolumes"),
        ('"kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${var.region}:${var.account_id}:log-group:*"', '"kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:*:*:log-group:*"', _KEY, "LogGroups"),
    ),
    *_in(
        "standard", "network/firewall.tf",
        ("length(var.allowed_cidrs) > 0 ? var.allowed_cidrs :", 'length(var.allowed_cidrs) > 0 ? concat(var.allowed_cidrs, ["198.51.100.0/24"]) :', _LISTED, "198.51.100.0/24, which is not listed"),
        ("revoke_rules_on_delete = true", "revoke_rules_on_delete = false", _GROUPS, "could not be deleted"),
        ('{ from = "emr_service", to = group, protocol = "tcp", low = 8443, high = 8443, emr_adds = true }', '{ from = "emr_service", to = group, protocol = "tcp", low = 8442, high = 8443, emr_adds = true }', _FLOWS, "8443) is missing"),
        ('[{ from = "emr_primary", to = "emr_service", protocol = "tcp", low = 9443, high = 9443, emr_adds = false }],', "", _FLOWS, "9443) is missing"),
        ('{ from = pair.from, to = pair.to, protocol = "udp", low = 0, high = 65535, emr_adds = true },', "", _FLOWS, "'udp', 0) is missing"),
        ('to_kafka = ["producer", "kafdrop", "emr_primary", "emr_core"]', 'to_kafka = ["producer", "kafdrop", "emr_primary", "emr_core", "dashboard"]', _FLOWS, "('dashboard', 'kafka', 'tcp', 9096) is not expected"),
        ('["dashboard", "kafdrop", "producer", "maintenance", "emr_primary", "emr_core"],', '["dashboard", "kafdrop", "producer", "emr_primary", "emr_core"],', _FLOWS, "egress to S3: maintenance is missing"),
        ('description       = "To AWS and the internet, HTTPS only"\n  ip_protocol       = "tcp"\n  from_port         = 443', 'description       = "To AWS and the internet, HTTPS only"\n  ip_protocol       = "tcp"\n  from_port         = 80', _FLOWS, "another port than 443"),
        ('contains(local.emr_groups, each.key) ? { for-use-with-amazon-emr-managed-policies = "true" } : {},', "{},", "emr_may_touch_what_it_must", 'aws_security_group.these["emr_core"]'),
    ),
    *_in(
        "standard", "network/main.tf",
        ('  cidr_block        = cidrsubnet(var.vpc_cidr, 8, 128 + count.index)\n', '  cidr_block        = cidrsubnet(var.vpc_cidr, 8, 128 + count.index)\n  map_public_ip_on_launch = true\n', _ADDRESS, "gives public addresses"),
        ('availability_zone = local.zones[count.index]\n  cidr_block        = cidrsubnet(var.vpc_cidr, 4, count.index)', 'availability_zone = local.zones[0]\n  cidr_block        = cidrsubnet(var.vpc_cidr, 4, count.index)', _INTERNET, "in 1 zones"),
    ),
    *_in("standard", "network/internet.tf", ("per_az = 3 }", "per_az = 2 }", _INTERNET, "2 gateways, not 3")),
    *_in("standard", "network/endpoints.tf", ('Resource  = flatten([for arn in var.bucket_arns : [arn, "${arn}/*"]])', 'Resource  = ["*"]', _S3_ENDPOINT, "lets * through")),
    *_in(
        "standard", "kafka_msk/main.tf",
        ("encryption_at_rest_kms_key_arn = var.key_arn", "", _ENCRYPTED, "aws_msk_cluster.this"),
        ('client_broker = "TLS"', 'client_broker = "TLS_PLAINTEXT"', _IN_TRANSIT, "aws_msk_cluster.this"),
        ("unauthenticated = false", "unauthenticated = true", _KAFKA, "other log-ins than SCRAM"),
        ("min.insync.replicas=2", "min.insync.replicas=1", _KAFKA, "lacks min.insync.replicas=2"),
        ("auto.create.topics.enable=false", "auto.create.topics.enable=true", _KAFKA, "lacks auto.create.topics.enable=false"),
        ("ignore_changes = [broker_node_group_info[0].storage_info[0].ebs_storage_info[0].volume_size]", "ignore_changes = []", _KAFKA, "autoscaling of the disk is drift"),
    ),
    *_in(
        "standard", "stack/secrets.tf",
        ('name                    = "AmazonMSK_${var.name}_${each.key}"', 'name                    = "MSK_${var.name}_${each.key}"', _PASSWORDS, "MSK reads no secret of that name"),
        ("kms_key_id              = module.storage.key_arn # MSK takes none that AWS's own key encrypts", "", _ENCRYPTED, "aws_secretsmanager_secret.kafka"),
        ('Principal = { Service = "kafka.amazonaws.com" }', 'Principal = { Service = "ec2.amazonaws.com" }', "msk_may_read_its_users", "0 of 3"),
        ('recovery_window_in_days = var.disposable ? 0 : 7\n}\n\nresource "aws_secretsmanager_secret_version"', 'recovery_window_in_days = 0\n}\n\nresource "aws_secretsmanager_secret_version"', _PASSWORDS, "can be recovered for 0 days"),
    ),
    *_in(
        "standard", "emr/main.tf",
        ("EnableInTransitEncryption = true", "EnableInTransitEncryption = false", _IN_TRANSIT, "nodes talk in the clear"),
        ("MinimumInstanceMetadataServiceVersion = 2", "MinimumInstanceMetadataServiceVersion = 1", _IMDS, "answers IMDSv1"),
        ("log_encryption_kms_key_id         = var.key_arn", "", _ENCRYPTED, "aws_emr_cluster.this"),
        ("artifacts/runner.sh - | bash", "artifacts/runner.sh - | bash -s ${var.release.release}", _KEPT, "its step depends on what changes"),
        ("ignore_changes = [step]", "ignore_changes = []", _KEPT, "a step added by hand"),
        ("instance_count = var.core_count", "instance_count = var.core_count + 1", _EMR, "another number of core nodes"),
        ('PYSPARK_PYTHON = "/usr/bin/python3.11", PYSPARK_DRIVER_PYTHON = "/usr/bin/python3.11"', "", _EMR, "Python is not named"),
        ("keep_job_flow_alive_when_no_steps = true", "keep_job_flow_alive_when_no_steps = false", _EMR, "ends by itself"),
        ('emr_managed_slave_security_group  = var.security_group_ids["emr_core"]', 'emr_managed_slave_security_group  = var.security_group_ids["kafka"]', _EMR, "other security groups"),
        ('tags = { for-use-with-amazon-emr-managed-policies = "true" }', "", "emr_may_touch_what_it_must", "aws_emr_cluster.this"),
    ),
    *_in(
        "standard", "emr/iam.tf",
        ('Action   = ["secretsmanager:GetSecretValue"]\n        Resource = var.secret_arns', 'Action   = ["secretsmanager:GetSecretValue"]\n        Resource = "*"', _WILDCARD, "aws_iam_role_policy.node KafkaUser"),
        ('Condition = { StringEquals = { "cloudwatch:namespace" = var.metrics_namespace } }', "", _METRICS, "every namespace"),
        ('Condition = { StringEquals = { "iam:PassedToService" = "ec2.amazonaws.com" } }', "", _PASSED, "NodesGetTheirRole"),
        ('Resource = ["${var.work_bucket.arn}/checkpoints/*"]', 'Resource = ["${var.work_bucket.arn}/*"]', _PREFIXES, "aws_iam_role_policy.node: s3:DeleteObject"),
        ("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore", "arn:aws:iam::aws:policy/AmazonSSMFullAccess", _WILDCARD, "AmazonSSMFullAccess"),
        ('Principal = { Service = "elasticmapreduce.amazonaws.com" }', 'Principal = { AWS = "*" }', _PASSED, "aws_iam_role.service"),
    ),
    *_in(
        "standard", "build/project.tf",
        ("encryption_key         = var.key_arn", "", _ENCRYPTED, "aws_codebuild_project.this"),
        ("build_timeout          = 28", "build_timeout          = 60", _BUILD, "longer than it is waited for"),
        ('Action   = ["logs:CreateLogStream", "logs:GetLogEvents", "logs:PutLogEvents"]', 'Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]', _LOGS, "aws_iam_role_policy.build Log"),
    ),
    *_in(
        "standard", "build/run.tf",
        ("SourceHash     = var.source_hash", 'SourceHash     = "1"', _BUILD, "does not follow the sources"),
        ("retention_in_days = var.log_retention_days", "retention_in_days = 0", _LOGS, "aws_cloudwatch_log_group.starter keeps for 0"),
        ('Action   = ["codebuild:StartBuild"]', 'Action   = ["codebuild:*"]', _WILDCARD, "codebuild:*"),
    ),
    *_in(
        "standard", "build/repositories.tf",
        ('image_tag_mutability = "IMMUTABLE"', 'image_tag_mutability = "MUTABLE"', _DISPOSABLE, "tags can be moved"),
        ("    kms_key         = var.key_arn\n", "", _ENCRYPTED, "aws_ecr_repository.these"),
    ),
    *_in(
        "standard", "services/iam.tf",
        ('dashboard   = ["verdicts"]\n', 'dashboard   = ["verdicts", "alerts"]\n', _PREFIXES, 'task["dashboard"]: s3:PutObject'),
        ("Resource = var.secret_arns[each.key]", 'Resource = var.secret_arns["producer"]', _OWN_SECRETS, 'execution["kafdrop"]'),
    ),
    *_in(
        "standard", "services/services.tf",
        ("rollback = true", "rollback = false", _SERVICES, "does not roll back"),
        ("wait_for_steady_state             = true", "wait_for_steady_state             = false", _SERVICES, "is not waited for"),
        ("enable_execute_command            = false", "enable_execute_command            = true", _SERVICES, "opens a shell"),
        ("assign_public_ip = false", "assign_public_ip = true", _ADDRESS, "aws_ecs_service.these"),
        ('health = "/_stcore/health"', 'health = "/"', _SERVICES, "health is asked at"),
        ('propagate_tags                    = "SERVICE"', 'propagate_tags                    = "NONE"', "everything_is_tagged_with_the_stacks_name", "its tasks have no tags"),
    ),
    *_in(
        "standard", "services/tasks.tf",
        ("--topic.deleteEnabled=false", "--topic.deleteEnabled=true", _KAFDROP, "topics can be made or deleted"),
        ('{ name = "MANAGEMENT_ENDPOINTS_WEB_EXPOSURE_INCLUDE", value = "health" }', '{ name = "MANAGEMENT_ENDPOINTS_WEB_EXPOSURE_INCLUDE", value = "*" }', _KAFDROP, "more of itself"),
        ('readonlyRootFilesystem = component != "kafdrop"', "readonlyRootFilesystem = false", _CONTAINERS, "writes to its root"),
        ('condition = "SUCCESS"', 'condition = "START"', _CONTAINERS, "before the topics are there"),
        ('{ name = "STREAMLIT_SERVER_PORT", value = "8501" }', '{ name = "STREAMLIT_SERVER_COOKIE_SECRET", value = "x" }', _CONTAINERS, "STREAMLIT_SERVER_COOKIE_SECRET lies open"),
        ("awslogs-region        = var.region", 'awslogs-region        = var.region, awslogs-create-group = "true"', _LOGS, "aws_ecs_task_definition.these"),
    ),
    *_in(
        "standard", "services/cluster.tf",
        ('name              = "/aws/ecs/containerinsights/${var.name}/performance"', 'name              = "/aws/ecs/${var.name}"', _LOGS, "containerinsights"),
    ),
    *_in(
        "standard", "services/load_balancer.tf",
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-2016-08", _LOGIN, "old TLS"),
        ("drop_invalid_header_fields = true", "drop_invalid_header_fields = false", _LOGIN, "lets invalid headers through"),
        ('type            = "lb_cookie"', 'type            = "app_cookie"\n    cookie_name = "x"', _SERVICES, "one session to several containers"),
    ),
    *_in(
        "standard", "services/maintenance.tf",
        ("kms_key_arn         = var.key_arn", "", _ENCRYPTED, "aws_scheduler_schedule.maintenance"),
        ('schedule_expression = "cron(20 * * * ? *)"', 'schedule_expression = "cron(20 3 * * ? *)"', "maintenance_runs_hourly", "not each hour"),
        ('Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }', "", _PASSED, "aws_iam_role_policy.scheduler"),
    ),
    *_in(
        "standard", "observability/topic.tf",
        ("kms_master_key_id = var.key_arn", "", _ENCRYPTED, "aws_sns_topic.alarms"),
        ('Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"]', 'Service = ["cloudwatch.amazonaws.com"]', _EVENTS, "may not publish"),
    ),
    *_in(
        "standard", "observability/alarms.tf",
        ('minutes = 3, missing = "breaching"', 'minutes = 3, missing = "notBreaching"', _ALARMS, 'job["heartbeat"] is content'),
        ("threshold           = 80\n  period              = 300\n  evaluation_periods  = 2\n  treat_missing_data  = \"breaching\" # a broker that says nothing is as bad\n  alarm_actions       = [aws_sns_topic.alarms.arn]", "threshold           = 80\n  period              = 300\n  evaluation_periods  = 2\n  treat_missing_data  = \"breaching\"\n  alarm_actions       = []", _ALARMS, 'kafka_disk["1"] tells nobody'),
    ),
    *_in(
        "standard", "observability/events.tf",
        ('detail      = { clusterId = [var.emr_cluster_id], state = ["FAILED", "CANCELLED"] }', 'detail      = { clusterId = [var.emr_cluster_id], state = ["COMPLETED"] }', _EVENTS, "event step-failed"),
        ('group      = ["maintenance"]', 'group      = ["family"]', _EVENTS, "event maintenance-failed"),
    ),
    *_in(
        "demo", "kafka_ec2/main.tf",
        ('http_tokens                 = "required"', 'http_tokens                 = "optional"', _IMDS, "aws_instance.broker"),
        ("encrypted         = true\n  kms_key_id        = var.key_arn", "encrypted         = true", _ENCRYPTED, "aws_ebs_volume.data"),
        ("encrypted   = true\n    kms_key_id  = var.key_arn", "encrypted   = false", _ENCRYPTED, "aws_instance.broker"),
        ("kms_key_id        = var.key_arn\n}", "}", _ENCRYPTED, "aws_cloudwatch_log_group.brokers"),
        ("ignore_changes = [ami]", "ignore_changes = []", _BROKERS, "a new Amazon Linux"),
        ("stop_instance_before_detaching = true", "stop_instance_before_detaching = false", _BROKERS, "no controlled shutdown"),
        ("  ebs_optimized               = true\n", '  ebs_optimized               = true\n  key_name = "mine"\n', _IMDS, "SSH key"),
    ),
    *_in(
        "demo", "kafka_ec2/files/user_data.sh.tftpl",
        ("CLIENT:SASL_SSL,CONTROLLER:SSL", "CLIENT:SASL_PLAINTEXT,CONTROLLER:SSL", _BROKERS, "lacks listener.security.protocol.map"),
        ("ssl.client.auth=required", "ssl.client.auth=none", _BROKERS, "lacks listener.name.controller.ssl.client.auth"),
        ("sha256sum --check --status kafka.tar.gz.sha256", "true", _BROKERS, "lacks sha256sum"),
    ),
    *_in(
        "demo", "kafka_ec2/iam.tf",
        ('"cloudwatch:namespace" = "${var.name}/kafka"', '"cloudwatch:namespace" = "AWS/EC2"', _METRICS, "AWS/EC2"),
        ("concat(values(var.secret_arns), values(var.certificate_secret_arns))", '["arn:aws:secretsmanager:us-east-1:123456789012:secret:*"]', _OWN_SECRETS, "aws_iam_role_policy.broker"),
    ),
    *_in("demo", "network/firewall.tf", ("low = 9093, high = 9094, emr_adds = false", "low = 9092, high = 9094, emr_adds = false", _FLOWS, "9092) is not expected")),
    *_in(
        "private", "network/endpoints.tf",
        ('"ecr.api", "ecr.dkr", "logs",', '"ecr.api", "logs",', _ENDPOINTS, "ecr.dkr is missing"),
        ("subnet_ids = [aws_subnet.private[0].id]", "subnet_ids = aws_subnet.private[*].id", _ENDPOINTS, "more than one zone"),
        ("private_dns_enabled = true", "private_dns_enabled = false", _ENDPOINTS, "by the service's name"),
        ('"arn:aws:s3:::prod-${var.region}-starport-layer-bucket/*",', "", _S3_ENDPOINT, "keeps out images' layers"),
    ),
    *_in(
        "private", "services/load_balancer.tf",
        ("internal                   = var.load_balancer.internal", "internal                   = false", _INTERNET, "is public"),
    ),
    *_in(
        "private", "build/project.tf",
        ('type            = var.cpu_architecture == "arm64" ? "ARM_CONTAINER" : "LINUX_CONTAINER"', 'type            = "ARM_CONTAINER"', _BUILD, "another architecture"),
    ),
    *_in(
        "private", "services/tasks.tf",
        ("cpu_architecture        = upper(var.cpu_architecture)", 'cpu_architecture        = "ARM64"', _CONTAINERS, "of another architecture"),
    ),
    *_in(
        "login", "services/load_balancer.tf",
        ("for_each = local.login ? [var.load_balancer.oidc] : []", "for_each = local.login && each.key == \"dashboard\" ? [var.load_balancer.oidc] : []", _LOGIN, 'aws_lb_listener_rule.these["kafdrop"] lets people through'),
        ('on_unauthenticated_request = "authenticate"', 'on_unauthenticated_request = "allow"', _LOGIN, 'aws_lb_listener_rule.these["dashboard"] lets people through'),
        ('type = "fixed-response"\n\n    fixed_response {\n      content_type = "text/plain"\n      message_body = "not found"\n      status_code  = "404"\n    }', 'type             = "forward"\n    target_group_arn = aws_lb_target_group.these["dashboard"].arn', _LOGIN, "its default action asks nobody"),
    ),
    *_in(
        "login", "network/firewall.tf",
        ('var.load_balancer.oidc ? ["alb"] : []', "[]", _FLOWS, "egress to the internet: alb is missing"),
        ("to_port           = var.load_balancer.port", "to_port           = 65535", _LISTED, "opens more than port 443"),
    ),
    *_in(
        "login", "storage/key.tf",
        ('Sid       = "EmrGrantsVolumes"', 'Sid       = "EmrGrants"', _KEY, "the statement EmrGrantsVolumes"),
    ),
    *_in(
        "login", "emr/iam.tf",
        ('Action   = ["s3:PutObject"]\n        Resource = ["${var.work_bucket.arn}/emr-logs/*"]', 'Action   = ["s3:PutObject", "kms:CreateGrant"]\n        Resource = ["${var.work_bucket.arn}/emr-logs/*"]', _GRANTS, "EmrLogs grants the key to anybody"),
    ),
]  # fmt: skip
