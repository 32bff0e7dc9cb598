# The stack's variables. modules/stack/variables.tf is a link to this file: one place says what there is.

variable "name" {
  description = "Name of the stack; every resource's name begins with it. Two stacks in an account need two names."
  type        = string
  default     = "fraud"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 characters: lower-case letters, digits and hyphens, a letter first, no hyphen last."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
  default     = "us-east-1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be an AWS region's name, such as us-east-1."
  }
}

variable "kafka_mode" {
  description = "Who runs Kafka: msk (Amazon MSK) or ec2 (three KRaft brokers on EC2)."
  type        = string
  default     = "msk"
  nullable    = false

  validation {
    condition     = contains(["msk", "ec2"], var.kafka_mode)
    error_message = "kafka_mode must be msk or ec2."
  }
}

variable "kafka_instance_type" {
  description = "Instance type of a broker, such as kafka.m7g.large (msk) or t4g.medium (ec2). Without it the smallest that does."
  type        = string
  default     = null

  validation {
    condition     = var.kafka_instance_type == null || startswith(coalesce(var.kafka_instance_type, "-"), "kafka.") == (var.kafka_mode == "msk")
    error_message = "kafka_instance_type must begin with kafka. when kafka_mode is msk (kafka.m7g.large), and must not when it is ec2 (t4g.medium)."
  }

  validation {
    # AWS refuses it for KRaft only when the cluster is created, after ten minutes of other work.
    condition     = var.kafka_instance_type != "kafka.t3.small"
    error_message = "kafka_instance_type kafka.t3.small cannot run Kafka 4 (KRaft) on MSK; the smallest is kafka.m7g.large."
  }
}

variable "kafka_volume_gb" {
  description = "Disk of each of the three brokers, in GiB. On MSK it grows by itself to four times that."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.kafka_volume_gb >= 20 && var.kafka_volume_gb <= 4000 && floor(var.kafka_volume_gb) == var.kafka_volume_gb
    error_message = "kafka_volume_gb must be a whole number from 20 to 4000."
  }
}

variable "kafka_password_version" {
  description = "On MSK: raise it by one to give every Kafka user a new password at the next apply."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.kafka_password_version >= 1 && floor(var.kafka_password_version) == var.kafka_password_version
    error_message = "kafka_password_version must be a whole number, 1 or more."
  }

  validation {
    # They would refuse the clients' new ones.
    condition     = var.kafka_mode == "msk" || var.kafka_password_version == 1
    error_message = "kafka_password_version must stay 1 when kafka_mode is ec2: brokers on EC2 keep the passwords that their disks were formatted with."
  }
}

variable "cpu_architecture" {
  description = "Of every machine and container: arm64 (cheaper) or x86_64."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.cpu_architecture)
    error_message = "cpu_architecture must be arm64 or x86_64."
  }
}

variable "emr_core_count" {
  description = "Worker nodes of the Spark cluster."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.emr_core_count >= 1 && var.emr_core_count <= 20 && floor(var.emr_core_count) == var.emr_core_count
    error_message = "emr_core_count must be a whole number from 1 to 20."
  }
}

variable "trigger" {
  description = "At least this long between micro-batches. At 0s the job's S3 requests alone cost 150-300 USD a month."
  type        = string
  default     = "10s"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]+(ms|s|m)$", var.trigger))
    error_message = "trigger must be a whole number and ms, s or m, such as 500ms or 10s."
  }
}

variable "rules_file" {
  description = "Your own rules and currency rates (TOML, docs/rules.md). Without it the project's fraud/rules.toml."
  type        = string
  default     = null

  validation {
    condition     = var.rules_file == null || can(file(var.rules_file))
    error_message = "rules_file: there is no such file. Give an absolute path, or one from the folder terraform/."
  }
}

variable "job_settings" {
  description = "Settings of the job (docs/settings.md, Detection) that are to differ: { FRAUD_ALLOWED_LATENESS = \"15m\" }."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([for name in keys(var.job_settings) : contains([
      "FRAUD_ALLOWED_LATENESS", "FRAUD_RETENTION", "FRAUD_CLOCK_SKEW", "FRAUD_MAX_OFFSETS_PER_TRIGGER",
      "FRAUD_ARCHIVE_TRIGGER", "FRAUD_OUTAGE",
    ], name)])
    error_message = "job_settings must be of FRAUD_ALLOWED_LATENESS, FRAUD_RETENTION, FRAUD_CLOCK_SKEW, FRAUD_MAX_OFFSETS_PER_TRIGGER, FRAUD_ARCHIVE_TRIGGER and FRAUD_OUTAGE."
  }
}

variable "job_options" {
  description = "Options for one start of the job (docs/operations.md), such as [\"--accept-loss\"]. Apply, then take them away and apply again."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for option in var.job_options : can(regex("^--(accept-loss|take-over=(keep|replace)|since=.+)$", option))])
    error_message = "job_options must be of --accept-loss, --take-over=keep, --take-over=replace and --since=TIME."
  }
}

variable "producer_count" {
  description = "Containers that send simulated payments; 0 when your own come."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.producer_count >= 0 && var.producer_count <= 10 && floor(var.producer_count) == var.producer_count
    error_message = "producer_count must be a whole number from 0 to 10."
  }
}

variable "vpc_cidr" {
  description = "Private addresses of the stack's network: a /16 to /20."
  type        = string
  default     = "10.42.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 20, false)
    error_message = "vpc_cidr must be an IPv4 network between /16 and /20, such as 10.42.0.0/16."
  }

  validation {
    condition     = can(regex("^(10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.)", var.vpc_cidr))
    error_message = "vpc_cidr must lie in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
  }
}

variable "nat" {
  description = "How private subnets reach the internet: none (AWS endpoints only, and the load balancer is internal), single, or per_az."
  type        = string
  default     = "single"
  nullable    = false

  validation {
    condition     = contains(["none", "single", "per_az"], var.nat)
    error_message = "nat must be none, single or per_az."
  }
}

variable "allowed_cidrs" {
  description = "Who may reach the load balancer, as IPv4 networks: [\"203.0.113.7/32\"] is one address. There is no default that opens it."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.allowed_cidrs : can(cidrnetmask(cidr))])
    error_message = "allowed_cidrs must be IPv4 networks such as 203.0.113.7/32."
  }

  validation {
    condition     = var.oidc != null || alltrue([for cidr in var.allowed_cidrs : !endswith(cidr, "/0")])
    error_message = "allowed_cidrs holds a /0: that opens the dashboard to everybody. List your own networks, or set oidc."
  }

  validation {
    condition     = var.nat == "none" || var.oidc != null || length(var.allowed_cidrs) > 0
    error_message = "allowed_cidrs is empty: nobody could reach the dashboard. List your own address (curl https://checkip.amazonaws.com) as [\"ADDRESS/32\"], or set oidc."
  }
}

variable "certificate_arn" {
  description = "ACM certificate of the load balancer's name. With it the load balancer speaks HTTPS only."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of an ACM certificate."
  }

  validation {
    condition     = var.certificate_arn != null || var.allow_plain_http
    error_message = "certificate_arn is not set: the dashboard would be plain HTTP. Give a certificate, or accept that with allow_plain_http = true."
  }
}

variable "allow_plain_http" {
  description = "Without a certificate: accept plain HTTP from allowed_cidrs."
  type        = bool
  default     = false
  nullable    = false
}

variable "oidc" {
  description = "OpenID Connect provider that users of the load balancer log in at. Needs certificate_arn."
  type = object({
    issuer                 = string
    authorization_endpoint = string
    token_endpoint         = string
    user_info_endpoint     = string
    client_id              = string
  })
  default = null

  validation {
    condition     = var.oidc == null || var.certificate_arn != null
    error_message = "oidc needs certificate_arn: a log-in over plain HTTP protects nothing."
  }

  validation {
    condition     = var.oidc == null || var.oidc_client_secret != null
    error_message = "oidc needs oidc_client_secret."
  }

  validation {
    condition     = var.oidc == null || var.nat != "none"
    error_message = "oidc needs a load balancer that reaches the provider: set nat to single or per_az."
  }
}

variable "oidc_client_secret" {
  description = "Secret of the client at the OIDC provider. It lies in Terraform's state: the provider offers no other way."
  type        = string
  default     = null
  sensitive   = true
}

variable "kafdrop_public" {
  description = "Also serve Kafdrop, which shows raw payments, on the load balancer, under /kafdrop."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_email" {
  description = "Address that alarms go to. AWS sends it a link to confirm."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@[:space:]]+@[^@[:space:]]+\\.[^@[:space:]]+$", var.alarm_email))
    error_message = "alarm_email must be one e-mail address."
  }
}

variable "log_retention_days" {
  description = "How long every log group keeps its lines."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "log_retention_days must be one of those CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731."
  }
}

variable "disposable" {
  description = "Let destroy delete buckets and image repositories with all that is in them, and secrets at once."
  type        = bool
  default     = false
  nullable    = false
}
