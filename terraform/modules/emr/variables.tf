variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "account_id" {
  description = "AWS account."
  type        = string
}

variable "role_names" {
  description = "Names of the service's role and the nodes': the key's policy names them before they exist."
  type        = object({ service = string, node = string })
}

variable "instance_type" {
  description = "Of every node."
  type        = string
}

variable "core_count" {
  description = "Nodes that run executors."
  type        = number
}

variable "subnet_id" {
  description = "All nodes are in one zone: traffic between zones costs."
  type        = string
}

variable "security_group_ids" {
  description = "By role: emr_primary, emr_core, emr_service."
  type        = map(string)
}

variable "ways_out" {
  description = "Routes and endpoints that must be there before the first node starts."
  type        = any
}

variable "key_arn" {
  description = "Encrypts disks, objects and logs."
  type        = string
}

variable "data_bucket" {
  description = "Bucket of alerts, metrics and transactions: name and ARN."
  type        = object({ name = string, arn = string })
}

variable "work_bucket" {
  description = "Bucket of checkpoints, artefacts and EMR's logs: name and ARN."
  type        = object({ name = string, arn = string })
}

variable "certificates_key" {
  description = "Key, in the work bucket, of the certificates for encryption in transit."
  type        = string
}

variable "release" {
  description = "What the job is: settings, keys of code and packages. The runner follows it while it runs."
  type        = any
}

variable "secret_arns" {
  description = "Secrets that the runner reads."
  type        = list(string)
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the job's health."
  type        = string
}

variable "log_retention_days" {
  description = "Of the job's log."
  type        = number
}
