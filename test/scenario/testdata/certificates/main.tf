# Certificates, requested and imported, at a listener over HTTPS that verifies its
# clients.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}

variable "port" { type = number }

variable "stage" { default = "one" }

resource "aws_acm_certificate" "requested" {
  domain_name               = "shop.example.test"
  subject_alternative_names = ["*.shop.example.test"]
  validation_method         = "DNS"
  tags                      = { stage = var.stage }
}

resource "aws_acm_certificate_validation" "requested" {
  certificate_arn         = aws_acm_certificate.requested.arn
  validation_record_fqdns = [for o in aws_acm_certificate.requested.domain_validation_options : o.resource_record_name]
}

resource "aws_acm_certificate" "imported" {
  certificate_body = file("${path.module}/${var.stage}.pem")
  private_key      = file("${path.module}/${var.stage}.key")
}

data "aws_subnets" "default" {}

resource "aws_lb" "web" {
  name    = "web"
  subnets = data.aws_subnets.default.ids
}

resource "aws_s3_bucket" "trusted" {
  bucket        = "trusted"
  force_destroy = true
}

resource "aws_s3_object" "authorities" {
  bucket = aws_s3_bucket.trusted.id
  key    = "ca.pem"
  source = "${path.module}/ca.pem"
}

resource "aws_lb_trust_store" "clients" {
  name                             = "clients"
  ca_certificates_bundle_s3_bucket = aws_s3_bucket.trusted.id
  ca_certificates_bundle_s3_key    = aws_s3_object.authorities.key
  tags                             = { stage = var.stage }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.web.arn
  port              = var.port
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.requested.certificate_arn
  mutual_authentication {
    mode            = var.stage == "one" ? "verify" : "passthrough"
    trust_store_arn = var.stage == "one" ? aws_lb_trust_store.clients.arn : null
  }
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "200"
    }
  }
}

resource "aws_lb_listener_certificate" "more" {
  count           = var.stage == "one" ? 1 : 0
  listener_arn    = aws_lb_listener.https.arn
  certificate_arn = aws_acm_certificate.imported.arn
}
