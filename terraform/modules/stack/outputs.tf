output "kafka_users" {
  description = "Users that need a password."
  value       = local.kafka_users
}

output "dashboard_url" {
  description = "Where analysts look. With a certificate, point its name at this host. Internal: see tunnel_command."
  value       = "${local.scheme}://${module.services.address}/"
}

output "kafdrop_url" {
  description = "Kafdrop; through the tunnel where it is not on the public load balancer."
  value       = local.load_balancer.kafdrop ? "${local.scheme}://${module.services.address}/kafdrop" : "http://127.0.0.1:9000/kafdrop"
}

output "tunnel_command" {
  description = "Opens a way, through Systems Manager, to what is not public: the internal load balancer at 127.0.0.1:8501, else Kafdrop at 127.0.0.1:9000."
  value = join(" ", [
    "aws ssm start-session --region ${var.region}",
    "--target $(aws emr list-instances --region ${var.region} --cluster-id ${module.emr.cluster_id} --instance-group-types MASTER --query 'Instances[0].Ec2InstanceId' --output text)",
    "--document-name AWS-StartPortForwardingSessionToRemoteHost",
    "--parameters host=${local.tunnel.host},portNumber=${local.tunnel.port},localPortNumber=${local.tunnel.local}",
  ])
}

output "buckets" {
  description = "data: alerts, metrics, transactions and verdicts. work: checkpoints and artefacts."
  value       = { data = module.storage.data.name, work = module.storage.work.name }
}

output "read_alerts" {
  description = "One line each to read the alerts with Python."
  value = {
    pyarrow = "python -c \"import pyarrow.dataset as d; print(d.dataset('s3://${module.storage.data.name}/alerts/', partitioning='hive').to_table().to_pandas())\""
    duckdb  = "python -c \"import duckdb; duckdb.sql('''install httpfs; load httpfs; create secret (type s3, provider credential_chain, region '${var.region}')'''); print(duckdb.sql('''from read_parquet('s3://${module.storage.data.name}/alerts/**/*.parquet')'''))\""
  }
}

output "bootstrap_servers" {
  description = "Kafka's brokers, for SASL_SSL with SCRAM-SHA-512, inside the network."
  value       = local.kafka.bootstrap_servers
}

output "kafka_secrets" {
  description = "Secrets Manager's ARN of each Kafka user's name and password, and of the certificate authority (EC2)."
  value       = merge(local.kafka_secret_arns, local.on_ec2 ? { ca = local.kafka.ca_secret_arn } : {})
}

output "emr_cluster_id" {
  description = "The Spark cluster."
  value       = module.emr.cluster_id
}

output "log_groups" {
  description = "Where each part logs."
  value       = merge(module.services.log_groups, module.build.log_groups, { job = module.emr.log_group, kafka = local.kafka.log_group })
}

output "alarm_topic_arn" {
  description = "Subscribe to hear of alarms."
  value       = module.observability.topic_arn
}

output "monthly_cost_usd" {
  description = "Estimate by part, 730 hours, list prices of us-east-1 at their date; without traffic."
  value       = local.monthly_cost
}

output "destroy_command" {
  description = "Takes everything down again."
  value       = "scripts/destroy.sh, with what scripts/deploy.sh was given (by hand: terraform/README.md, Destroy)"
}

locals {
  scheme = var.certificate_arn == null ? "http" : "https"
  tunnel = (
    local.internal
    ? { host = module.services.address, port = local.load_balancer.port, local = 8501 }
    : { host = module.services.kafdrop_host, port = 9000, local = 9000 }
  )
}
