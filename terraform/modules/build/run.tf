# Terraform cannot start a build and wait for it. CloudFormation can: a custom resource hands the build an address
# to report to, and the stack waits. So a build that fails fails the apply, with the last lines of its log.

resource "aws_cloudformation_stack" "run" {
  name               = "${var.name}-build"
  on_failure         = "DELETE"
  timeout_in_minutes = 35

  template_body = jsonencode({
    Description = "Runs the build of ${var.name} when its sources change"
    Resources = {
      Starter = {
        Type = "AWS::Lambda::Function"
        Properties = {
          FunctionName  = "${var.name}-build-starter"
          Description   = "Starts the build and hands it the address to report to"
          Role          = aws_iam_role.starter.arn
          Runtime       = "python3.13"
          Architectures = [var.cpu_architecture]
          Handler       = "index.handler"
          Timeout       = 60
          Code          = { ZipFile = file("${path.module}/files/starter.py") }
          LoggingConfig = { LogGroup = aws_cloudwatch_log_group.starter.name }
        }
      }
      Build = {
        Type = "AWS::CloudFormation::CustomResource"
        Properties = {
          ServiceToken   = { "Fn::GetAtt" = ["Starter", "Arn"] }
          ServiceTimeout = "1800"
          Project        = aws_codebuild_project.this.name
          SourceHash     = var.source_hash
        }
      }
    }
  })

  depends_on = [aws_iam_role_policy.build, aws_iam_role_policy.starter, aws_ecr_lifecycle_policy.these]
}

resource "aws_cloudwatch_log_group" "starter" {
  name              = "/${var.name}/build-starter"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arn
}

resource "aws_iam_role" "starter" {
  name = "${var.name}-build-starter"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "starter" {
  name = "start-build"
  role = aws_iam_role.starter.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Start"
        Effect   = "Allow"
        Action   = ["codebuild:StartBuild"]
        Resource = [aws_codebuild_project.this.arn]
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.starter.arn}:*"]
      },
    ]
  })
}
