resource "aws_iam_role" "broker" {
  name = "${var.name}-kafka"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "broker" {
  name = "broker"
  role = aws_iam_role.broker.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Program"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${var.work_bucket.arn}/${var.program_key}", "${var.work_bucket.arn}/${var.program_key}.sha256"]
      },
      {
        Sid      = "PasswordsAndCertificates"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = concat(values(var.secret_arns), [for secret in values(var.certificate_secrets) : secret.arn])
      },
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [var.key_arn]
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.brokers.arn}:*"]
      },
      {
        # PutMetricData knows no resources; the namespace is the limit.
        Sid       = "DiskMetric"
        Effect    = "Allow"
        Action    = ["cloudwatch:PutMetricData"]
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = "${var.name}/kafka" } }
      },
    ]
  })
}

# Systems Manager in place of SSH: no key, no open port.
resource "aws_iam_role_policy_attachment" "session" {
  role       = aws_iam_role.broker.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "broker" {
  name = "${var.name}-kafka"
  role = aws_iam_role.broker.name
}
