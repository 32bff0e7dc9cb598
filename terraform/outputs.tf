output "dashboard_url" {
  description = "Where analysts look. With a certificate, point its name at this host. Internal: see tunnel_command."
  value       = module.stack.dashboard_url
}

output "kafdrop_url" {
  description = "Kafdrop; through the tunnel where it is not on the public load balancer."
  value       = module.stack.kafdrop_url
}

output "tunnel_command" {
  description = "Opens a way, through Systems Manager, to what is not public."
  value       = module.stack.tunnel_command
}

output "buckets" {
  description = "data: alerts, metrics, transactions and verdicts. work: checkpoints and artefacts."
  value       = module.stack.buckets
}

output "read_alerts" {
  description = "One line each to read the alerts with Python."
  value       = module.stack.read_alerts
}

output "bootstrap_servers" {
  description = "Kafka's brokers, for SASL_SSL with SCRAM-SHA-512, inside the network."
  value       = module.stack.bootstrap_servers
}

output "kafka_secrets" {
  description = "Secrets Manager's ARN of each Kafka user's name and password, and of the certificate authority (EC2)."
  value       = module.stack.kafka_secrets
}

output "emr_cluster_id" {
  description = "The Spark cluster."
  value       = module.stack.emr_cluster_id
}

output "log_groups" {
  description = "Where each part logs."
  value       = module.stack.log_groups
}

output "alarm_topic_arn" {
  description = "Subscribe to hear of alarms."
  value       = module.stack.alarm_topic_arn
}

output "monthly_cost_usd" {
  description = "Estimate by part, 730 hours, list prices; without traffic."
  value       = module.stack.monthly_cost_usd
}

output "destroy_command" {
  description = "Takes everything down again."
  value       = module.stack.destroy_command
}
