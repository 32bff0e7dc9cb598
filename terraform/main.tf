# The passwords of Kafka's users: made anew in each run, kept nowhere in state, and written only when
# kafka_password_version changes. They are made here, outside the stack, because no mocked test can run on a
# configuration that holds an ephemeral resource.
ephemeral "aws_secretsmanager_random_password" "kafka" {
  for_each = toset(module.stack.kafka_users)

  password_length     = 32
  exclude_punctuation = true # they stand in Java properties and in JAAS lines
}

module "stack" {
  source = "./modules/stack"

  kafka_passwords = { for user, password in ephemeral.aws_secretsmanager_random_password.kafka : user => password.random_password }

  name                   = var.name
  region                 = var.region
  kafka_mode             = var.kafka_mode
  kafka_instance_type    = var.kafka_instance_type
  kafka_volume_gb        = var.kafka_volume_gb
  kafka_password_version = var.kafka_password_version
  cpu_architecture       = var.cpu_architecture
  emr_core_count         = var.emr_core_count
  trigger                = var.trigger
  rules_file             = var.rules_file
  job_settings           = var.job_settings
  job_options            = var.job_options
  producer_count         = var.producer_count
  vpc_cidr               = var.vpc_cidr
  nat                    = var.nat
  allowed_cidrs          = var.allowed_cidrs
  certificate_arn        = var.certificate_arn
  allow_plain_http       = var.allow_plain_http
  oidc                   = var.oidc
  oidc_client_secret     = var.oidc_client_secret
  kafdrop_public         = var.kafdrop_public
  alarm_email            = var.alarm_email
  log_retention_days     = var.log_retention_days
  disposable             = var.disposable
}
