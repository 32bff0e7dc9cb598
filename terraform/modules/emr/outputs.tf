output "cluster_id" {
  description = "The EMR cluster."
  value       = aws_emr_cluster.this.id
}

output "log_group" {
  description = "Where the job logs."
  value       = aws_cloudwatch_log_group.job.name
}
