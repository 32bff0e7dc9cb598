# An estimate of the monthly bill, by part. All prices are in prices.json; a test counts what there is in the plan.

locals {
  prices = jsondecode(file("${path.module}/prices.json"))
  hour   = local.prices.hour
  month  = local.prices.month
  hours  = 730

  # null where the table has no price for an instance type of one's own.
  broker_hour = try(local.hour[local.kafka_instance_type], null)
  kafka_disk  = local.on_ec2 ? (var.kafka_volume_gb + 12) * local.month["gp3 gib"] : var.kafka_volume_gb * local.month["msk gib"] # 12: the root volume
  kafka_cost  = local.broker_hour == null ? null : 3 * (local.broker_hour * local.hours + local.kafka_disk)

  nat_count      = { none = 0, single = 1, per_az = 3 }[var.nat]
  fargate_vcpu   = 1 + 0.25 + 0.25 * var.producer_count
  fargate_gib    = 4 + 1 + 1 * var.producer_count
  trigger_unit   = regex("^([0-9]+)(ms|s|m)$", var.trigger)
  trigger_s      = max(1, tonumber(local.trigger_unit[0]) * { ms = 0.001, s = 1, m = 60 }[local.trigger_unit[1]])
  alarms         = 6 + 3 + (local.load_balancer.kafdrop ? 2 : 1) + 2 # the job's, disks, targets, maintenance (of two metrics)
  custom_metrics = 6 + (local.on_ec2 ? 3 : 0)                        # the job's; brokers on EC2 report their disks themselves
  zones          = local.on_ec2 ? 2 : 1                              # of the services, and of the brokers
  secret_count   = length(local.kafka_users) + length(local.certificate_files)
  public_address = local.nat_count + (local.internal ? 0 : 3)

  cost = {
    kafka     = local.kafka_cost
    emr       = (1 + var.emr_core_count) * ((local.hour[local.instance_types.emr] + local.hour["emr surcharge"]) * local.hours + 94 * local.month["gp3 gib"])
    network   = local.hours * (local.nat_count * local.hour["nat"] + local.public_address * local.hour["public address"] + (local.internal ? 11 * local.hour["endpoint"] : 0))
    load      = local.hours * local.hour["load balancer"]
    fargate   = local.hours * (local.fargate_vcpu * local.hour["fargate vcpu"][var.cpu_architecture] + local.fargate_gib * local.hour["fargate gib"][var.cpu_architecture])
    s3        = local.month["s3 requests at a trigger of 1 s"] / local.trigger_s
    oversight = local.month["key"] + local.secret_count * local.month["secret"] + local.zones * local.month["zone"] + local.alarms * local.month["alarm"] + local.month["dashboard"] + local.custom_metrics * local.month["custom metric"]
  }
  monthly_cost = merge(
    { for part, usd in local.cost : part => usd == null ? "no price known for ${local.kafka_instance_type}" : format("%.0f", usd) },
    {
      total     = local.kafka_cost == null ? "unknown" : format("%.0f", sum([for usd in values(local.cost) : usd]))
      prices_of = "${local.prices.region}, ${local.prices.as_of}"
    },
  )
}
