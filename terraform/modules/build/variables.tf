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

variable "key_arn" {
  description = "Encrypts images, artefacts and logs."
  type        = string
}

variable "work_bucket" {
  description = "Bucket of sources and artefacts: name and ARN."
  type        = object({ name = string, arn = string })
}

variable "source_hash" {
  description = "Of all sources: another one starts a build."
  type        = string
}

variable "artifacts" {
  description = "What the build is to make: image tags by component, keys of archives in the work bucket."
  type = object({
    images           = map(string)
    environment      = string
    code             = string
    jars             = string
    kafka            = string
    emr_certificates = string
  })
}

variable "certificate_secret_arns" {
  description = "EC2 mode: the secrets that CA, its key and the brokers' certificates go into; else empty."
  type        = map(string)
}

variable "kafka_domain" {
  description = "EC2 mode: the brokers' domain, for their certificates; else empty."
  type        = string
}

variable "disposable" {
  description = "Let destroy delete repositories with their images."
  type        = bool
}

variable "log_retention_days" {
  description = "Of the build's log."
  type        = number
}
