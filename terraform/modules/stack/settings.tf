# The settings of each component: the project's FRAUD_* variables (docs/settings.md), which mean the same here as on
# a laptop. A test reads them as the programs do.

locals {
  store = {
    FRAUD_S3_BUCKET = module.storage.data.name
    FRAUD_S3_REGION = var.region
  }

  broker = {
    FRAUD_KAFKA_BOOTSTRAP_SERVERS  = local.kafka.bootstrap_servers
    FRAUD_KAFKA_SECURITY_PROTOCOL  = "SASL_SSL"
    FRAUD_KAFKA_PARTITIONS         = "8"
    FRAUD_KAFKA_REPLICATION_FACTOR = "3"
  }

  detection = {
    FRAUD_SPARK_MASTER       = "yarn"
    FRAUD_DRIVER_MEMORY      = "4g"
    FRAUD_CHECKPOINT         = "s3a://${module.storage.work.name}/checkpoints/${local.kafka.cluster_id}"
    FRAUD_TRIGGER            = var.trigger
    FRAUD_BUCKETS            = "16"
    FRAUD_SHUFFLE_PARTITIONS = "4"
    FRAUD_ARCHIVE            = "true"
  }

  environments = {
    dashboard   = local.store
    producer    = merge(local.broker, local.store)
    maintenance = merge(local.broker, local.store, { FRAUD_CHECKPOINT = local.detection.FRAUD_CHECKPOINT })
    kafdrop     = { KAFKA_BROKERCONNECT = local.kafka.bootstrap_servers }
  }

  # Variable to secret, or to one field of it, as ECS writes it.
  secrets = {
    dashboard   = {}
    maintenance = local.broker_secrets["maintenance"]
    producer    = local.broker_secrets["producer"]
    kafdrop = merge(
      {
        KAFKA_USERNAME = "${local.kafka_secret_arns["kafdrop"]}:username::"
        KAFKA_PASSWORD = "${local.kafka_secret_arns["kafdrop"]}:password::"
      },
      local.on_ec2 ? { KAFKA_CA_PEM = local.kafka.ca_secret_arn } : {},
    )
  }

  broker_secrets = { for user in ["maintenance", "producer"] : user => merge(
    {
      FRAUD_KAFKA_SASL_USERNAME = "${local.kafka_secret_arns[user]}:username::"
      FRAUD_KAFKA_SASL_PASSWORD = "${local.kafka_secret_arns[user]}:password::"
    },
    local.on_ec2 ? { FRAUD_KAFKA_CA_PEM = local.kafka.ca_secret_arn } : {},
  ) }

  secret_arns = {
    dashboard   = []
    maintenance = concat([local.kafka_secret_arns["maintenance"]], local.ca_secret_arns)
    producer    = concat([local.kafka_secret_arns["producer"]], local.ca_secret_arns)
    kafdrop     = concat([local.kafka_secret_arns["kafdrop"]], local.ca_secret_arns)
  }
}
