# What the runner on EMR follows. The rules are an object of their own, so that changing them builds nothing.

locals {
  rules = coalesce(var.rules_file, "${local.root}/fraud/rules.toml")

  release_content = {
    settings = merge(local.store, local.broker, local.detection, var.job_settings)
    secrets = merge(
      {
        FRAUD_KAFKA_SASL_USERNAME = "${local.kafka_secret_arns["detect"]}#username"
        FRAUD_KAFKA_SASL_PASSWORD = "${local.kafka_secret_arns["detect"]}#password"
      },
      local.on_ec2 ? { FRAUD_KAFKA_CA_PEM = local.kafka.ca_secret_arn } : {},
    )
    artifacts = {
      code        = module.build.artifacts.code
      environment = module.build.artifacts.environment
      jars        = module.build.artifacts.jars
      rules       = aws_s3_object.rules.key
    }
    arguments         = var.job_options
    spark             = { "spark.executor.cores" = "3", "spark.executor.memory" = "6g", "spark.executor.instances" = tostring(var.emr_core_count) }
    metrics_namespace = local.metrics_namespace
    password_version  = var.kafka_password_version # a new password is a new release
  }
  release = merge(local.release_content, { release = substr(sha256(jsonencode(local.release_content)), 0, 12) })
}

resource "aws_s3_object" "rules" {
  bucket = module.storage.work.name
  # The old one stays until the job has left it.
  key          = "artifacts/rules-${substr(filesha256(local.rules), 0, 16)}.toml"
  source       = local.rules
  source_hash  = filesha256(local.rules)
  content_type = "application/toml"

  lifecycle {
    create_before_destroy = true
  }
}
