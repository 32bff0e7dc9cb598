variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "account_id" {
  description = "AWS account."
  type        = string
}

variable "cpu_architecture" {
  description = "arm64 or x86_64."
  type        = string
}

variable "network" {
  description = "VPC, subnets, security groups by role, and the ways out that tasks need."
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
    public_subnet_ids  = list(string)
    security_group_ids = map(string)
    ways_out           = any
  })
}

variable "load_balancer" {
  description = "Port, internal or public, certificate, OIDC provider, and whether Kafdrop is behind it."
  type = object({
    port            = number
    internal        = bool
    certificate_arn = optional(string)
    kafdrop         = bool
    oidc = optional(object({
      issuer                 = string
      authorization_endpoint = string
      token_endpoint         = string
      user_info_endpoint     = string
      client_id              = string
    }))
  })
}

variable "oidc_client_secret" {
  description = "Secret of the client at the OIDC provider."
  type        = string
  default     = null
  sensitive   = true
}

variable "images" {
  description = "Image of each component."
  type        = map(string)
}

variable "repository_arns" {
  description = "Image repositories by component."
  type        = map(string)
}

variable "environments" {
  description = "Settings (FRAUD_*) of each component."
  type        = map(map(string))
}

variable "secrets" {
  description = "Variables of each component that come from Secrets Manager: variable to ARN and field."
  type        = map(map(string))
}

variable "secret_arns" {
  description = "The secrets that each component's containers get."
  type        = map(list(string))
}

variable "producer_count" {
  description = "Containers that send payments."
  type        = number
}

variable "data_bucket" {
  description = "Bucket of alerts, metrics, transactions and verdicts: name and ARN."
  type        = object({ name = string, arn = string })
}

variable "work_bucket" {
  description = "Bucket of the job's checkpoint: name and ARN."
  type        = object({ name = string, arn = string })
}

variable "key_arn" {
  description = "Encrypts buckets, secrets and logs."
  type        = string
}

variable "log_retention_days" {
  description = "Of the containers' logs."
  type        = number
}
