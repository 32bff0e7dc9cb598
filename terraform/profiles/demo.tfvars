# The cheapest: Kafka on three small EC2 machines, one NAT, plain HTTP to your own address, gone without a trace.
# scripts/deploy.sh demo --var 'allowed_cidrs=["203.0.113.7/32"]'
name               = "fraud-demo"
kafka_mode         = "ec2"
kafka_volume_gb    = 20
nat                = "single"
allow_plain_http   = true
log_retention_days = 3
disposable         = true
