# Each component has two roles: with the one ECS starts it (image, secrets, log), the other is its own.

locals {
  objects = "${var.data_bucket.arn}/"

  # What a component does with S3, by its prefixes of the data bucket.
  reads = {
    dashboard   = ["alerts", "alerts_hourly", "metrics", "transactions", "verdicts"]
    kafdrop     = []
    producer    = []
    maintenance = ["alerts", "alerts_hourly", "metrics", "reconciliations", "transactions"]
  }
  writes = {
    dashboard   = ["verdicts"]
    kafdrop     = []
    producer    = []
    maintenance = ["alerts", "alerts_hourly", "reconciliations"]
  }
  # A reconciliation's lock and plan go when it ends.
  deletes = { dashboard = [], kafdrop = [], producer = [], maintenance = ["reconciliations"] }
  # `init` beside the producer looks whether the bucket is there.
  lists = ["dashboard", "producer", "maintenance"]

  task_statements = { for component in local.components : component => concat(
    !contains(local.lists, component) ? [] : [{
      Sid      = "List"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = component == "maintenance" ? [var.data_bucket.arn, var.work_bucket.arn] : [var.data_bucket.arn]
    }],
    component != "maintenance" ? [] : [{
      Sid      = "Checkpoint"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["${var.work_bucket.arn}/checkpoints/*"]
    }],
    length(local.reads[component]) == 0 ? [] : [{
      Sid      = "Read"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [for prefix in local.reads[component] : "${local.objects}${prefix}/*"]
    }],
    length(local.writes[component]) == 0 ? [] : [{
      Sid      = "Write"
      Effect   = "Allow"
      Action   = ["s3:AbortMultipartUpload", "s3:PutObject"]
      Resource = [for prefix in local.writes[component] : "${local.objects}${prefix}/*"]
    }],
    length(local.deletes[component]) == 0 ? [] : [{
      Sid      = "Delete"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject"]
      Resource = [for prefix in local.deletes[component] : "${local.objects}${prefix}/*"]
    }],
    length(local.reads[component]) == 0 ? [] : [{
      Sid      = "Key"
      Effect   = "Allow"
      Action   = length(local.writes[component]) == 0 ? ["kms:Decrypt"] : ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [var.key_arn]
    }],
  ) }

  tasks_assume = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role" "task" {
  for_each = toset(local.components)

  name               = "${var.name}-${each.key}"
  assume_role_policy = local.tasks_assume
}

resource "aws_iam_role_policy" "task" {
  # Kafdrop calls nothing in AWS: its role has no policy.
  for_each = { for component, statements in local.task_statements : component => statements if length(statements) > 0 }

  name   = each.key
  role   = aws_iam_role.task[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value })
}

resource "aws_iam_role" "execution" {
  for_each = toset(local.components)

  name               = "${var.name}-${each.key}-start"
  assume_role_policy = local.tasks_assume
}

resource "aws_iam_role_policy" "execution" {
  for_each = toset(local.components)

  name = "start"
  role = aws_iam_role.execution[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          # The log-in to ECR knows no resources.
          Sid      = "RegistryLogin"
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = "*"
        },
        {
          Sid      = "Image"
          Effect   = "Allow"
          Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = distinct(concat([var.repository_arns[local.image_of[each.key]]], each.key == "producer" ? [var.repository_arns["jobs"]] : []))
        },
        {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.these[each.key].arn}:*"]
        },
      ],
      length(var.secrets[each.key]) == 0 ? [] : [
        {
          Sid      = "Secrets"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = var.secret_arns[each.key]
        },
        {
          Sid      = "Decrypt"
          Effect   = "Allow"
          Action   = ["kms:Decrypt"]
          Resource = [var.key_arn]
        },
      ],
    )
  })
}
