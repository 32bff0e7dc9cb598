# Three fixed nodes, one a zone, each broker and controller (KRaft, no ZooKeeper). Address, name and data disk
# outlive the machine: a broker that is replaced comes back as itself.

locals {
  # Kafka's form of an id: 16 bytes in URL-safe base64, never a hyphen first (its tool would see an option).
  cluster_id = "k${substr(replace(replace(base64sha256("${var.account_id}/${var.region}/${var.name}"), "+", "-"), "/", "_"), 0, 20)}A"
  brokers    = { for index, subnet in var.subnets : tostring(index + 1) => subnet }
  log_group  = "/${var.name}/kafka"
}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${var.cpu_architecture}"
}

resource "aws_network_interface" "broker" {
  for_each = local.brokers

  subnet_id       = each.value.id
  private_ips     = [cidrhost(each.value.cidr, 10)]
  security_groups = [var.security_group_id]
  description     = "Kafka broker ${each.key} of ${var.name}"

  tags = { Name = "${var.name}-kafka-${each.key}" }
}

resource "aws_ebs_volume" "data" {
  for_each = local.brokers

  availability_zone = each.value.zone
  size              = var.volume_gb
  type              = "gp3"
  encrypted         = true
  kms_key_id        = var.key_arn

  tags = { Name = "${var.name}-kafka-${each.key}" }
}

resource "aws_instance" "broker" {
  for_each = local.brokers

  ami                         = data.aws_ssm_parameter.image.insecure_value
  instance_type               = var.instance_type
  iam_instance_profile        = aws_iam_instance_profile.broker.name
  monitoring                  = false # basic metrics do; the agent reports the disk
  ebs_optimized               = true
  user_data_replace_on_change = true

  user_data = templatefile("${path.module}/files/user_data.sh.tftpl", {
    node_id           = each.key
    domain            = var.domain
    cluster_id        = local.cluster_id
    region            = var.region
    volume            = replace(aws_ebs_volume.data[each.key].id, "-", "")
    bucket            = var.work_bucket.name
    program_key       = var.program_key
    log_group         = local.log_group
    metrics_namespace = "${var.name}/kafka"
    users             = var.secret_arns
    # By name: a certificate that is renewed must not replace all brokers at once.
    certificates = { for file, secret in var.certificate_secrets : file => secret.name }
  })

  network_interface {
    network_interface_id = aws_network_interface.broker[each.key].id
    device_index         = 0
  }

  metadata_options {
    http_tokens                 = "required"
    http_endpoint               = "enabled"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 12
    encrypted   = true
    kms_key_id  = var.key_arn
  }

  tags = { Name = "${var.name}-kafka-${each.key}" }

  lifecycle {
    ignore_changes = [ami] # a new Amazon Linux must not replace three brokers at once

    precondition {
      condition     = length(var.ways_out.endpoints) > 0
      error_message = "The brokers would have no way to S3."
    }
  }

  # The names of all three first: a resolver that was asked too early keeps their absence for a quarter of an hour.
  depends_on = [
    aws_iam_role_policy.broker,
    aws_iam_role_policy_attachment.session,
    aws_cloudwatch_log_group.brokers,
    aws_route53_record.broker,
  ]
}

resource "aws_volume_attachment" "data" {
  for_each = local.brokers

  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.data[each.key].id
  instance_id                    = aws_instance.broker[each.key].id
  stop_instance_before_detaching = true # a controlled shutdown first
}

resource "aws_route53_zone" "this" {
  name          = var.domain
  comment       = "Kafka brokers of ${var.name}"
  force_destroy = false

  vpc {
    vpc_id = var.vpc_id
  }
}

resource "aws_route53_record" "broker" {
  for_each = local.brokers

  zone_id = aws_route53_zone.this.zone_id
  name    = "broker-${each.key}.${var.domain}"
  type    = "A"
  ttl     = 60
  records = [aws_network_interface.broker[each.key].private_ip]
}

resource "aws_cloudwatch_log_group" "brokers" {
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arn
}
