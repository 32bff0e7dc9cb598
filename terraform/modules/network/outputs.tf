output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "One a zone."
  value       = aws_subnet.private[*].id
}

output "public_subnet_ids" {
  description = "One a zone."
  value       = aws_subnet.public[*].id
}

output "private_cidrs" {
  description = "Addresses of the private subnets, in the order of private_subnet_ids."
  value       = aws_subnet.private[*].cidr_block
}

output "zones" {
  description = "Availability zones, in the order of the subnets."
  value       = aws_subnet.private[*].availability_zone
}

output "security_group_ids" {
  description = "By role: alb, dashboard, kafdrop, producer, maintenance, kafka, emr_primary, emr_core, emr_service, endpoints."
  value       = { for role, group in aws_security_group.these : role => group.id }
  # Whoever uses a group needs its rules: a task without a way out fails its first pull.
  depends_on = [
    aws_vpc_security_group_egress_rule.flow, aws_vpc_security_group_egress_rule.s3,
    aws_vpc_security_group_egress_rule.https, aws_vpc_security_group_ingress_rule.flow,
  ]
}

output "ways_out" {
  description = "Routes and endpoints that whatever runs in the private subnets needs from its first second."
  value = {
    routes    = aws_route.private_internet[*].id
    endpoints = concat([aws_vpc_endpoint.s3.id], [for endpoint in aws_vpc_endpoint.interface : endpoint.id])
  }
}
