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

variable "domain" {
  description = "The brokers are broker-1 to broker-3 in it; their certificates hold these names."
  type        = string
}

variable "instance_type" {
  description = "Of each of the three brokers."
  type        = string
}

variable "cpu_architecture" {
  description = "arm64 or x86_64."
  type        = string
}

variable "volume_gb" {
  description = "Data disk of each broker, in GiB."
  type        = number
}

variable "vpc_id" {
  description = "Where the private names are known."
  type        = string
}

variable "subnets" {
  description = "Of each broker: subnet, its zone and its addresses."
  type        = list(object({ id = string, zone = string, cidr = string }))
}

variable "security_group_id" {
  description = "Group of the brokers."
  type        = string
}

variable "ways_out" {
  description = "Routes and endpoints that must be there before the first broker starts."
  type        = any
}

variable "key_arn" {
  description = "Encrypts disks and logs."
  type        = string
}

variable "secret_arns" {
  description = "User name and password of each Kafka user, by user; `broker` is the brokers' own."
  type        = map(string)
}

variable "certificate_secrets" {
  description = "PEM files that the build made: `ca`, and key and certificate of `broker-1` to `broker-3`."
  type        = map(object({ name = string, arn = string }))
}

variable "work_bucket" {
  description = "Bucket that holds the broker's program: name and ARN."
  type        = object({ name = string, arn = string })
}

variable "program_key" {
  description = "Key of the broker's program in that bucket; beside it lies `.sha256`."
  type        = string
}

variable "log_retention_days" {
  description = "Of the brokers' log."
  type        = number
}
