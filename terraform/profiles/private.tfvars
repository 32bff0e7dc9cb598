# No way to the internet: AWS by endpoints, an internal load balancer, reached through Systems Manager, whose
# tunnel is encrypted; so plain HTTP inside the network is accepted.
name               = "fraud-private"
kafka_mode         = "msk"
nat                = "none"
allow_plain_http   = true
log_retention_days = 90
