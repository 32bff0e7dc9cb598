# Programs without Spark, each hour: compaction of closed hours, and reconciliation of what came too late.

locals {
  maintenance = {
    compact   = { command = ["python", "-m", "jobs.compact"], minute = 20 }   # an hour is closed ten minutes after its end
    reconcile = { command = ["python", "-m", "jobs.reconcile"], minute = 40 } # adds to the hour that is still open
  }

  # Without the revision: the schedule follows the newest. Not the attribute of that meaning, which is unknown while
  # a new revision is made: each change of code would seem to change the schedule and its role's rights.
  maintenance_task_arn = "arn:aws:ecs:${var.region}:${var.account_id}:task-definition/${aws_ecs_task_definition.these["maintenance"].family}"
}

resource "aws_scheduler_schedule_group" "this" {
  name = var.name
}

resource "aws_scheduler_schedule" "maintenance" {
  for_each = local.maintenance

  name                = each.key
  group_name          = aws_scheduler_schedule_group.this.name
  description         = "Hourly maintenance of ${var.name}'s data: ${each.key}"
  schedule_expression = "cron(${each.value.minute} * * * ? *)"
  kms_key_arn         = var.key_arn

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_ecs_cluster.this.arn
    role_arn = aws_iam_role.scheduler.arn
    input    = jsonencode({ containerOverrides = [{ name = "maintenance", command = each.value.command }] })

    ecs_parameters {
      task_definition_arn     = local.maintenance_task_arn
      launch_type             = "FARGATE"
      platform_version        = "LATEST"
      task_count              = 1
      group                   = "maintenance"
      propagate_tags          = "TASK_DEFINITION"
      enable_ecs_managed_tags = true

      network_configuration {
        subnets          = var.network.private_subnet_ids
        security_groups  = [var.network.security_group_ids["maintenance"]]
        assign_public_ip = false
      }
    }

    retry_policy {
      maximum_retry_attempts       = 3
      maximum_event_age_in_seconds = 1800
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}

resource "aws_iam_role" "scheduler" {
  name = "${var.name}-scheduler"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "start-maintenance"
  role = aws_iam_role.scheduler.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Start"
        Effect    = "Allow"
        Action    = ["ecs:RunTask"]
        Resource  = ["${local.maintenance_task_arn}:*"]
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
      },
      {
        Sid       = "Tag"
        Effect    = "Allow"
        Action    = ["ecs:TagResource"]
        Resource  = ["arn:aws:ecs:${var.region}:${var.account_id}:task/${var.name}/*"]
        Condition = { StringEquals = { "ecs:CreateAction" = "RunTask" } }
      },
      {
        Sid       = "Roles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [aws_iam_role.task["maintenance"].arn, aws_iam_role.execution["maintenance"].arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [var.key_arn]
      },
    ]
  })
}
