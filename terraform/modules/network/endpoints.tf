# AWS's services without the internet: S3 always (it costs nothing), the others where there is no NAT.

locals {
  services = [
    "ecr.api", "ecr.dkr", "logs", "monitoring", "secretsmanager", "kms", "sts",
    "ssm", "ssmmessages", "ec2messages", "elasticmapreduce",
  ]
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.region}.s3"
  route_table_ids   = aws_route_table.private[*].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OwnBuckets"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts", "s3:PutObject"]
        Resource  = flatten([for arn in var.bucket_arns : [arn, "${arn}/*"]])
      },
      {
        # Packages of Amazon Linux and EMR, layers of images in ECR, the Systems Manager agent.
        Sid       = "AwsSoftware"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["s3:GetObject"]
        Resource = [
          "arn:aws:s3:::al2023-repos-${var.region}-*/*",
          "arn:aws:s3:::packages.${var.region}.amazonaws.com/*",
          "arn:aws:s3:::repo.${var.region}.amazonaws.com/*",
          "arn:aws:s3:::repo.${var.region}.emr.amazonaws.com/*",
          "arn:aws:s3:::${var.region}.elasticmapreduce/*",
          "arn:aws:s3:::prod-${var.region}-starport-layer-bucket/*",
          "arn:aws:s3:::amazon-ssm-${var.region}/*",
        ]
      },
      {
        # EMR's own agents report through these.
        Sid       = "EmrReports"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["s3:GetObject", "s3:PutObject"]
        Resource = [
          "arn:aws:s3:::prod.${var.region}.appinfo.src/*",
          "arn:aws:s3:::aws157-logs-prod-${var.region}/*",
        ]
      },
    ]
  })

  tags = { Name = "${var.name}-s3" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.internet ? toset([]) : toset(local.services)

  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  private_dns_enabled = true
  security_group_ids  = [aws_security_group.these["endpoints"].id]
  # One zone: eleven endpoints in three cost more than a NAT.
  subnet_ids = [aws_subnet.private[0].id]

  tags = { Name = "${var.name}-${each.key}" }
}
