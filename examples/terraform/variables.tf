variable "name" {
  description = "Name of the stack, and of what is in it."
  type        = string
  default     = "shop"
}

variable "cidr" {
  description = "Range of the VPC."
  type        = string
  default     = "10.42.0.0/16"
}

variable "port" {
  description = "Port on which the load balancer answers."
  type        = number
  default     = 8080
}

variable "tag" {
  description = "Tag of the image to run."
  type        = string
  default     = "latest"
}

variable "desired_count" {
  description = "Tasks to begin with, and at least."
  type        = number
  default     = 2
}

variable "max_capacity" {
  description = "Tasks at most."
  type        = number
  default     = 4
}

variable "log_level" {
  description = "Stands in the task's environment: another value is another revision."
  type        = string
  default     = "info"
}

variable "stage" {
  description = "A tag of the cluster, the service and the network."
  type        = string
  default     = "test"
}

variable "clients" {
  description = "Who may reach the load balancer."
  type        = string
  default     = "0.0.0.0/0"
}
