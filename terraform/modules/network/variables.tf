variable "name" {
  description = "Prefix of every name."
  type        = string
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "vpc_cidr" {
  description = "Addresses of the network."
  type        = string
}

variable "nat" {
  description = "none, single or per_az."
  type        = string
}

variable "allowed_cidrs" {
  description = "Who may reach the public load balancer; empty behind OIDC means everybody."
  type        = list(string)
}

variable "load_balancer" {
  description = "Its port, whether it is internal, whether users log in by OIDC, and whether Kafdrop is behind it."
  type = object({
    port     = number
    internal = bool
    oidc     = bool
    kafdrop  = bool
  })
}

variable "kafka_mode" {
  description = "msk or ec2: on EC2 the brokers need ways to each other and to AWS."
  type        = string
}

variable "kafka_port" {
  description = "Port of the brokers that clients use."
  type        = number
}

variable "bucket_arns" {
  description = "The stack's own buckets: the S3 endpoint lets nothing else through but AWS's package repositories."
  type        = list(string)
}
