# How the modules fit together. Names that one module needs before another has made the thing are made here.

data "aws_caller_identity" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  on_ec2     = var.kafka_mode == "ec2"
  internal   = var.nat == "none"

  kafka_domain = "kafka.${var.name}.internal"
  emr_roles    = { service = "${var.name}-emr-service", node = "${var.name}-emr-node" }

  instance_types = {
    arm64  = { emr = "m7g.xlarge", msk = "kafka.m7g.large", ec2 = "t4g.medium" }
    x86_64 = { emr = "m7i.xlarge", msk = "kafka.m5.large", ec2 = "t3.medium" }
  }[var.cpu_architecture]
  kafka_instance_type = coalesce(var.kafka_instance_type, local.instance_types[var.kafka_mode])

  load_balancer = {
    internal        = local.internal
    port            = var.certificate_arn == null ? 80 : 443
    certificate_arn = var.certificate_arn
    oidc            = var.oidc
    # An internal load balancer is not public: Kafdrop may be behind it.
    kafdrop = var.kafdrop_public || local.internal
  }

  metrics_namespace = "${var.name}/job"
  kafka             = one(concat(module.kafka_ec2, module.kafka_msk)) # the two have the same outputs
}

module "storage" {
  source = "../storage"

  name              = var.name
  region            = var.region
  account_id        = local.account_id
  disposable        = var.disposable
  volume_role_names = values(local.emr_roles)
}

module "network" {
  source = "../network"

  name          = var.name
  region        = var.region
  vpc_cidr      = var.vpc_cidr
  nat           = var.nat
  allowed_cidrs = var.allowed_cidrs
  load_balancer = {
    port     = local.load_balancer.port
    internal = local.internal
    oidc     = var.oidc != null
    kafdrop  = local.load_balancer.kafdrop
  }
  kafka_mode  = var.kafka_mode
  kafka_port  = local.on_ec2 ? 9094 : 9096
  bucket_arns = [module.storage.data.arn, module.storage.work.arn]
}

module "build" {
  source = "../build"

  name             = var.name
  region           = var.region
  account_id       = local.account_id
  cpu_architecture = var.cpu_architecture
  key_arn          = module.storage.key_arn
  work_bucket      = module.storage.work
  # A secret that is new has no certificate yet.
  source_hash             = sha256(jsonencode([local.source_hash, [for secret in aws_secretsmanager_secret.certificate : secret.arn]]))
  artifacts               = local.artifacts
  certificate_secret_arns = { for file, secret in aws_secretsmanager_secret.certificate : file => secret.arn }
  kafka_domain            = local.on_ec2 ? local.kafka_domain : ""
  disposable              = var.disposable
  log_retention_days      = var.log_retention_days

  depends_on = [aws_s3_object.source]
}

module "kafka_msk" {
  source = "../kafka_msk"
  count  = local.on_ec2 ? 0 : 1

  name               = var.name
  instance_type      = local.kafka_instance_type
  volume_gb          = var.kafka_volume_gb
  subnet_ids         = module.network.private_subnet_ids
  security_group_id  = module.network.security_group_ids["kafka"]
  key_arn            = module.storage.key_arn
  secret_arns        = local.kafka_secret_arns
  log_retention_days = var.log_retention_days

  depends_on = [aws_secretsmanager_secret_policy.kafka]
}

module "kafka_ec2" {
  source = "../kafka_ec2"
  count  = local.on_ec2 ? 1 : 0

  name             = var.name
  region           = var.region
  account_id       = local.account_id
  domain           = local.kafka_domain
  instance_type    = local.kafka_instance_type
  cpu_architecture = var.cpu_architecture
  volume_gb        = var.kafka_volume_gb
  vpc_id           = module.network.vpc_id
  subnets = [for index in range(3) : {
    id   = module.network.private_subnet_ids[index]
    zone = module.network.zones[index]
    cidr = module.network.private_cidrs[index]
  }]
  security_group_id   = module.network.security_group_ids["kafka"]
  ways_out            = module.network.ways_out
  key_arn             = module.storage.key_arn
  secret_arns         = local.kafka_secret_arns
  certificate_secrets = { for file, secret in aws_secretsmanager_secret.certificate : file => { name = secret.name, arn = secret.arn } if file != "ca-key" }
  work_bucket         = module.storage.work
  program_key         = module.build.artifacts.kafka
  log_retention_days  = var.log_retention_days
}

module "emr" {
  source = "../emr"

  name               = var.name
  account_id         = local.account_id
  role_names         = local.emr_roles
  instance_type      = local.instance_types.emr
  core_count         = var.emr_core_count
  subnet_id          = module.network.private_subnet_ids[0]
  security_group_ids = module.network.security_group_ids
  ways_out           = module.network.ways_out
  key_arn            = module.storage.key_arn
  data_bucket        = module.storage.data
  work_bucket        = module.storage.work
  certificates_key   = module.build.artifacts.emr_certificates
  release            = local.release
  secret_arns        = concat([local.kafka_secret_arns["detect"]], local.ca_secret_arns)
  metrics_namespace  = local.metrics_namespace
  log_retention_days = var.log_retention_days
}

module "services" {
  source = "../services"

  name             = var.name
  region           = var.region
  account_id       = local.account_id
  cpu_architecture = var.cpu_architecture
  network = {
    vpc_id             = module.network.vpc_id
    private_subnet_ids = module.network.private_subnet_ids
    public_subnet_ids  = module.network.public_subnet_ids
    security_group_ids = module.network.security_group_ids
    ways_out           = module.network.ways_out
  }
  load_balancer      = local.load_balancer
  oidc_client_secret = var.oidc_client_secret
  images             = module.build.images
  repository_arns    = module.build.repository_arns
  environments       = local.environments
  secrets            = local.secrets
  secret_arns        = local.secret_arns
  producer_count     = var.producer_count
  data_bucket        = module.storage.data
  work_bucket        = module.storage.work
  key_arn            = module.storage.key_arn
  log_retention_days = var.log_retention_days
}

module "observability" {
  source = "../observability"

  name              = var.name
  region            = var.region
  key_arn           = module.storage.key_arn
  alarm_email       = var.alarm_email
  metrics_namespace = local.metrics_namespace
  emr_cluster_id    = module.emr.cluster_id
  ecs_cluster_arn   = module.services.cluster_arn
  services          = module.services.alarm_dimensions
  kafka_disks       = local.kafka.disk_metrics
}
