"""What `scripts/deploy.sh`, `scripts/destroy.sh` and `scripts/smoke-aws.sh` run."""
