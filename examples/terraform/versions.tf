terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6.0"
    }
  }
}

# AWS_ENDPOINT_URL, AWS_REGION and the keys come from `neargate env`. Without
# them the same files make the same stack on AWS.
provider "aws" {
  s3_use_path_style           = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_credentials_validation = false

  default_tags {
    tags = {
      Project = var.name
    }
  }
}
