# CodeBuild makes images, archives and certificates. It runs outside the network: it needs the package registries,
# and nothing in the network needs it.

resource "aws_codebuild_project" "this" {
  name                   = var.name
  description            = "Images, Spark environment and Kafka files of ${var.name}"
  service_role           = aws_iam_role.build.arn
  build_timeout          = 28 # minutes; TIME_LIMIT ends it earlier, with a report
  queued_timeout         = 5
  concurrent_build_limit = 1 # certificates are made once
  encryption_key         = var.key_arn

  source {
    type      = "S3"
    location  = "${var.work_bucket.name}/sources/"
    buildspec = file("${path.module}/files/buildspec.yml")
  }

  artifacts {
    type = "NO_ARTIFACTS"
  }

  environment {
    type            = var.cpu_architecture == "arm64" ? "ARM_CONTAINER" : "LINUX_CONTAINER"
    image           = var.cpu_architecture == "arm64" ? "aws/codebuild/amazonlinux-aarch64-standard:3.0" : "aws/codebuild/amazonlinux-x86_64-standard:5.0"
    compute_type    = "BUILD_GENERAL1_MEDIUM"
    privileged_mode = true # docker build

    dynamic "environment_variable" {
      for_each = local.environment

      content {
        name  = environment_variable.key
        value = environment_variable.value
      }
    }
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.build.name
    }
  }
}

locals {
  environment = merge(
    {
      ARCHITECTURE        = var.cpu_architecture == "arm64" ? "aarch64" : "x86_64"
      BASE_REGISTRY       = "public.ecr.aws/docker/library" # Docker Hub limits addresses that many share
      REGISTRY            = "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com"
      REPOSITORIES        = var.name
      WORK_BUCKET         = var.work_bucket.name
      KEY_ENVIRONMENT     = var.artifacts.environment
      KEY_CODE            = var.artifacts.code
      KEY_JARS            = var.artifacts.jars
      KEY_KAFKA           = var.artifacts.kafka
      KEY_EMR_CERTIFICATE = var.artifacts.emr_certificates
      KAFKA_DOMAIN        = var.kafka_domain
      TIME_LIMIT          = "22m" # with queue and start of the machine less than the custom resource waits
    },
    { for component, tag in var.artifacts.images : "TAG_${upper(component)}" => tag },
    { for file, arn in var.certificate_secret_arns : "SECRET_${upper(replace(file, "-", "_"))}" => arn },
  )
}

resource "aws_cloudwatch_log_group" "build" {
  name              = "/${var.name}/build"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arn
}

resource "aws_iam_role" "build" {
  name = "${var.name}-build"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "codebuild.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "build" {
  name = "build"
  role = aws_iam_role.build.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "Sources"
          Effect   = "Allow"
          Action   = ["s3:GetObject", "s3:GetObjectVersion"]
          Resource = ["${var.work_bucket.arn}/sources/*"]
        },
        {
          Sid      = "Artifacts"
          Effect   = "Allow"
          Action   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
          Resource = ["${var.work_bucket.arn}/artifacts/*"]
        },
        {
          Sid      = "Look"
          Effect   = "Allow"
          Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
          Resource = [var.work_bucket.arn]
        },
        {
          # The log-in to ECR knows no resources.
          Sid      = "RegistryLogin"
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = "*"
        },
        {
          Sid    = "Images"
          Effect = "Allow"
          Action = [
            "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
            "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
          ]
          Resource = [for repository in aws_ecr_repository.these : repository.arn]
        },
        {
          Sid      = "Encrypt"
          Effect   = "Allow"
          Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource = [var.key_arn]
        },
        {
          Sid      = "Log"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:GetLogEvents", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.build.arn}:*"]
        },
      ],
      length(var.certificate_secret_arns) == 0 ? [] : [{
        Sid      = "Certificates"
        Effect   = "Allow"
        Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
        Resource = values(var.certificate_secret_arns)
      }],
    )
  })
}
