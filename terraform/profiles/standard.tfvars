# Kafka by Amazon MSK, a NAT in each zone, HTTPS.
# scripts/deploy.sh standard --var 'allowed_cidrs=["203.0.113.0/24"]' --var certificate_arn=ARN
name               = "fraud"
kafka_mode         = "msk"
nat                = "per_az"
emr_core_count     = 2
log_retention_days = 30
