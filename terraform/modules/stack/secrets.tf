# One secret a Kafka user, and in EC2 mode one a certificate. Terraform writes the passwords without keeping them in
# its state, and never sees a certificate: the build makes those.

locals {
  kafka_users       = concat(["detect", "producer", "maintenance", "kafdrop"], local.on_ec2 ? ["broker"] : [])
  kafka_secret_arns = { for user, secret in aws_secretsmanager_secret.kafka : user => secret.arn }
  certificate_files = local.on_ec2 ? ["ca", "ca-key", "broker-1", "broker-2", "broker-3"] : []
  ca_secret_arns    = local.on_ec2 ? [aws_secretsmanager_secret.certificate["ca"].arn] : []
}

resource "aws_secretsmanager_secret" "kafka" {
  for_each = toset(local.kafka_users)

  name                    = "AmazonMSK_${var.name}_${each.key}" # MSK reads no secret of another name
  description             = "Kafka user ${each.key} of ${var.name}"
  kms_key_id              = module.storage.key_arn # MSK takes none that AWS's own key encrypts
  recovery_window_in_days = var.disposable ? 0 : 7
}

resource "aws_secretsmanager_secret_version" "kafka" {
  for_each = aws_secretsmanager_secret.kafka

  secret_id                = each.value.id
  secret_string_wo         = jsonencode({ username = each.key, password = var.kafka_passwords[each.key] })
  secret_string_wo_version = var.kafka_password_version
}

resource "aws_secretsmanager_secret_policy" "kafka" {
  for_each = local.on_ec2 ? {} : aws_secretsmanager_secret.kafka

  secret_arn = each.value.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "MskReadsUsers"
      Effect    = "Allow"
      Principal = { Service = "kafka.amazonaws.com" }
      Action    = ["secretsmanager:GetSecretValue"]
      Resource  = [each.value.arn]
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })

  depends_on = [aws_secretsmanager_secret_version.kafka]
}

resource "aws_secretsmanager_secret" "certificate" {
  for_each = toset(local.certificate_files)

  name                    = "${var.name}/kafka/${each.key}"
  description             = "PEM file ${each.key} of ${var.name}'s brokers; the build makes it once"
  kms_key_id              = module.storage.key_arn
  recovery_window_in_days = var.disposable ? 0 : 7
}
