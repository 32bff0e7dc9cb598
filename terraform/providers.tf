provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project = "fraud-pipeline"
      Stack   = var.name
    }
  }
}
