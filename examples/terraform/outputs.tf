output "repository_url" {
  value = aws_ecr_repository.app.repository_url
}

output "url" {
  value = "http://${aws_lb.this.dns_name}:${var.port}/"
}

output "private_subnets" {
  value = data.aws_subnets.private.ids
}

output "vpc_cidr" {
  value = data.aws_vpc.this.cidr_block
}
