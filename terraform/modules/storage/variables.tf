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

variable "disposable" {
  description = "Let destroy empty the buckets."
  type        = bool
}

variable "volume_role_names" {
  description = "Roles that make encrypted volumes: EMR's service role and its nodes'."
  type        = list(string)
}
