output "key_arn" {
  description = "The customer key."
  value       = aws_kms_key.this.arn
}

output "data" {
  description = "Bucket of data: name and ARN."
  value       = { name = aws_s3_bucket.data.id, arn = aws_s3_bucket.data.arn }
  # A bucket may be written to when its encryption and its policy are there.
  depends_on = [aws_s3_bucket_server_side_encryption_configuration.these, aws_s3_bucket_policy.tls_only]
}

output "work" {
  description = "Bucket of the machinery: name and ARN."
  value       = { name = aws_s3_bucket.work.id, arn = aws_s3_bucket.work.arn }
  depends_on  = [aws_s3_bucket_server_side_encryption_configuration.these, aws_s3_bucket_policy.tls_only]
}
