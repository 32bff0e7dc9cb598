output "bootstrap_servers" {
  description = "host:port of the brokers, for SASL_SSL with SCRAM-SHA-512."
  value       = join(",", [for broker in sort(keys(local.brokers)) : "broker-${broker}.${var.domain}:9094"])
  depends_on  = [aws_volume_attachment.data, aws_route53_record.broker]
}

output "cluster_id" {
  description = "Of this cluster alone: the checkpoint's path holds it."
  value       = local.cluster_id
}

output "ca_secret_arn" {
  description = "Certificate of the authority that signed the brokers' certificates, as PEM."
  value       = var.certificate_secrets["ca"].arn
}

output "log_group" {
  description = "Where the brokers log."
  value       = aws_cloudwatch_log_group.brokers.name
}

output "disk_metrics" {
  description = "Metric of each broker's disk, in per cent."
  value = { for broker in sort(keys(local.brokers)) : broker => {
    namespace  = "${var.name}/kafka"
    metric     = "disk_used_percent"
    dimensions = { Broker = broker, path = "/var/lib/kafka" }
  } }
}
