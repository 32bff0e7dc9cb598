# Every security group, and every flow that is allowed. A flow makes two rules: out of one group, into the other.
# Terraform takes away the rule that AWS gives new groups, "everything out"; so each way out stands here, too.

locals {
  groups = {
    alb         = "Load balancer"
    dashboard   = "Dashboard"
    kafdrop     = "Kafdrop"
    producer    = "Producer, and the init container beside it"
    maintenance = "Scheduled maintenance"
    kafka       = "Kafka brokers"
    emr_primary = "EMR primary node, where the driver runs"
    emr_core    = "EMR core nodes, where the executors run"
    emr_service = "EMR service access"
    endpoints   = "AWS interface endpoints"
  }
  emr_groups = ["emr_primary", "emr_core", "emr_service"]

  to_kafka = ["producer", "kafdrop", "maintenance", "emr_primary", "emr_core"]
  to_aws = concat(
    ["dashboard", "kafdrop", "producer", "maintenance", "emr_primary", "emr_core"],
    local.on_ec2 ? ["kafka"] : [],
  )
  on_ec2    = var.kafka_mode == "ec2"
  emr_nodes = [for pair in setproduct(["emr_primary", "emr_core"], ["emr_primary", "emr_core"]) : { from = pair[0], to = pair[1] }]

  # emr_adds: EMR writes the inbound rule itself when it makes the cluster, and no outbound one.
  flows = concat(
    [for group in local.to_kafka : { from = group, to = "kafka", protocol = "tcp", low = var.kafka_port, high = var.kafka_port, emr_adds = false }],
    # Brokers and controllers among each other. MSK's own traffic does not pass its customer's groups.
    local.on_ec2 ? [{ from = "kafka", to = "kafka", protocol = "tcp", low = 9093, high = 9094, emr_adds = false }] : [],
    [{ from = "alb", to = "dashboard", protocol = "tcp", low = 8501, high = 8501, emr_adds = false }],
    var.load_balancer.kafdrop ? [{ from = "alb", to = "kafdrop", protocol = "tcp", low = 9000, high = 9000, emr_adds = false }] : [],
    # Through Systems Manager on the primary node, a person reaches Kafdrop and the internal load balancer.
    [{ from = "emr_primary", to = "kafdrop", protocol = "tcp", low = 9000, high = 9000, emr_adds = false }],
    var.load_balancer.internal ? [{ from = "emr_primary", to = "alb", protocol = "tcp", low = var.load_balancer.port, high = var.load_balancer.port, emr_adds = false }] : [],
    flatten([for pair in local.emr_nodes : [
      { from = pair.from, to = pair.to, protocol = "tcp", low = 0, high = 65535, emr_adds = true },
      { from = pair.from, to = pair.to, protocol = "udp", low = 0, high = 65535, emr_adds = true },
      { from = pair.from, to = pair.to, protocol = "icmp", low = -1, high = -1, emr_adds = true },
    ]]),
    [for group in ["emr_primary", "emr_core"] : { from = "emr_service", to = group, protocol = "tcp", low = 8443, high = 8443, emr_adds = true }],
    [{ from = "emr_primary", to = "emr_service", protocol = "tcp", low = 9443, high = 9443, emr_adds = false }],
    local.internet ? [] : [for group in local.to_aws : { from = group, to = "endpoints", protocol = "tcp", low = 443, high = 443, emr_adds = false }],
  )
  flows_by_name = { for flow in local.flows : "${flow.from}>${flow.to}:${flow.protocol}-${flow.low}" => flow }

  # Ways out that lead to no group.
  https_out = concat(local.internet ? local.to_aws : [], var.load_balancer.oidc ? ["alb"] : [])
  from_outside = (
    var.load_balancer.internal ? [] :
    length(var.allowed_cidrs) > 0 ? var.allowed_cidrs :
    var.load_balancer.oidc ? ["0.0.0.0/0"] : []
  )
}

resource "aws_security_group" "these" {
  for_each = local.groups

  name        = "${var.name}-${replace(each.key, "_", "-")}"
  description = each.value
  vpc_id      = aws_vpc.this.id
  # EMR's groups hold rules that EMR wrote, and that name each other: without this none could be deleted.
  revoke_rules_on_delete = true

  tags = merge(
    { Name = "${var.name}-${replace(each.key, "_", "-")}" },
    contains(local.emr_groups, each.key) ? { for-use-with-amazon-emr-managed-policies = "true" } : {},
  )
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = local.flows_by_name

  security_group_id            = aws_security_group.these[each.value.from].id
  referenced_security_group_id = aws_security_group.these[each.value.to].id
  description                  = "To ${each.value.to}"
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.low
  to_port                      = each.value.high
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  for_each = { for name, flow in local.flows_by_name : name => flow if !flow.emr_adds }

  security_group_id            = aws_security_group.these[each.value.to].id
  referenced_security_group_id = aws_security_group.these[each.value.from].id
  description                  = "From ${each.value.from}"
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.low
  to_port                      = each.value.high
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  for_each = toset(local.to_aws)

  security_group_id = aws_security_group.these[each.key].id
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  description       = "To S3"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "https" {
  for_each = toset(local.https_out)

  security_group_id = aws_security_group.these[each.key].id
  cidr_ipv4         = "0.0.0.0/0"
  description       = "To AWS and the internet, HTTPS only"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# The only way in from outside.
resource "aws_vpc_security_group_ingress_rule" "outside" {
  for_each = toset(local.from_outside)

  security_group_id = aws_security_group.these["alb"].id
  cidr_ipv4         = each.key
  description       = "Users of the dashboard"
  ip_protocol       = "tcp"
  from_port         = var.load_balancer.port
  to_port           = var.load_balancer.port
}
