# What runs all the time. A deployment that does not come up is rolled back, and the apply fails.

locals {
  services = {
    dashboard = { count = 1, behind = true, port = 8501, health = "/_stcore/health" }
    kafdrop   = { count = 1, behind = var.load_balancer.kafdrop, port = 9000, health = "/kafdrop/actuator/health" }
    producer  = { count = var.producer_count, behind = false, port = null, health = null }
  }
}

resource "aws_ecs_service" "these" {
  for_each = local.services

  name                              = each.key
  cluster                           = aws_ecs_cluster.this.arn
  task_definition                   = aws_ecs_task_definition.these[each.key].arn
  desired_count                     = each.value.count
  launch_type                       = "FARGATE"
  platform_version                  = "LATEST"
  wait_for_steady_state             = true
  enable_execute_command            = false
  propagate_tags                    = "SERVICE"
  enable_ecs_managed_tags           = true
  availability_zone_rebalancing     = "DISABLED"
  health_check_grace_period_seconds = each.value.behind ? 120 : null

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.network.private_subnet_ids
    security_groups  = [var.network.security_group_ids[each.key]]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = each.value.behind ? [each.value.port] : []

    content {
      target_group_arn = aws_lb_target_group.these[each.key].arn
      container_name   = each.key
      container_port   = load_balancer.value
    }
  }

  dynamic "service_registries" {
    for_each = each.key == "kafdrop" ? [aws_service_discovery_service.kafdrop.arn] : []

    content {
      registry_arn = service_registries.value
    }
  }

  lifecycle {
    precondition {
      condition     = length(var.network.ways_out.endpoints) > 0
      error_message = "The tasks would have no way to ECR's layers in S3."
    }
  }

  depends_on = [aws_lb_listener_rule.these, aws_iam_role_policy.execution, aws_iam_role_policy.task, aws_ecs_cluster_capacity_providers.this]
}

# Kafdrop's name inside the network: whoever tunnels through Systems Manager finds it where it is not on the load
# balancer.
resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = "services.${var.name}.internal"
  description = "Services of ${var.name}"
  vpc         = var.network.vpc_id
}

resource "aws_service_discovery_service" "kafdrop" {
  name = "kafdrop"

  dns_config {
    namespace_id = aws_service_discovery_private_dns_namespace.this.id

    dns_records {
      type = "A"
      ttl  = 30
    }
  }
}
