output "bootstrap_servers" {
  description = "host:port of the brokers, for SASL_SSL with SCRAM-SHA-512."
  value       = aws_msk_cluster.this.bootstrap_brokers_sasl_scram
  depends_on  = [aws_msk_scram_secret_association.this] # before it nobody can log in
}

output "cluster_id" {
  description = "Of this cluster alone: the checkpoint's path holds it."
  value       = aws_msk_cluster.this.cluster_uuid
}

output "ca_secret_arn" {
  description = "MSK's certificates are signed by an authority that every system knows."
  value       = null
}

output "log_group" {
  description = "Where the brokers log."
  value       = aws_cloudwatch_log_group.brokers.name
}

output "disk_metrics" {
  description = "Metric of each broker's disk, in per cent."
  value = { for broker in ["1", "2", "3"] : broker => {
    namespace  = "AWS/Kafka"
    metric     = "KafkaDataLogsDiskUsed"
    dimensions = { "Cluster Name" = aws_msk_cluster.this.cluster_name, "Broker ID" = broker }
  } }
}
