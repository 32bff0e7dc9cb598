variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "instance_type" {
  description = "Of each of the three brokers."
  type        = string
}

variable "volume_gb" {
  description = "Disk of each broker at first, in GiB."
  type        = number
}

variable "subnet_ids" {
  description = "One subnet a broker."
  type        = list(string)
}

variable "security_group_id" {
  description = "Group of the brokers."
  type        = string
}

variable "key_arn" {
  description = "Encrypts disks and logs."
  type        = string
}

variable "secret_arns" {
  description = "User name and password of each Kafka user, by user."
  type        = map(string)
}

variable "log_retention_days" {
  description = "Of the brokers' log."
  type        = number
}
