output "images" {
  description = "Image of each component, by the tag that its content gives. There once the build has succeeded."
  value       = { for component, tag in var.artifacts.images : component => "${aws_ecr_repository.these[component].repository_url}:${tag}" }
  depends_on  = [aws_cloudformation_stack.run]
}

output "artifacts" {
  description = "Keys in the work bucket. There once the build has succeeded."
  value       = var.artifacts
  depends_on  = [aws_cloudformation_stack.run]
}

output "repository_arns" {
  description = "Image repositories by component."
  value       = { for component, repository in aws_ecr_repository.these : component => repository.arn }
}

output "log_groups" {
  description = "Where build and starter log."
  value       = { build = aws_cloudwatch_log_group.build.name, build_starter = aws_cloudwatch_log_group.starter.name }
}
