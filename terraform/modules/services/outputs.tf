output "address" {
  description = "Host name of the load balancer."
  value       = aws_lb.this.dns_name
}

output "kafdrop_host" {
  description = "Kafdrop's name inside the network."
  value       = "${aws_service_discovery_service.kafdrop.name}.${aws_service_discovery_private_dns_namespace.this.name}"
}

output "log_groups" {
  description = "Where each component logs."
  value = merge(
    { for component, group in aws_cloudwatch_log_group.these : component => group.name },
    { container_insights = aws_cloudwatch_log_group.insights.name },
  )
}

output "cluster_arn" {
  description = "The ECS cluster."
  value       = aws_ecs_cluster.this.arn
}

output "alarm_dimensions" {
  description = "What alarms look at: load balancer, target groups, schedule group."
  value = {
    load_balancer  = aws_lb.this.arn_suffix
    target_groups  = { for component, group in aws_lb_target_group.these : component => group.arn_suffix }
    schedule_group = aws_scheduler_schedule_group.this.name
  }
}
