package model

import (
	"fmt"
	"strconv"
	"strings"
)

// Every task has one network interface, and its IDs follow from the task's.

// AttachmentID is the ID of the attachment of the task's network interface.
func (t Task) AttachmentID() string {
	return fmt.Sprintf("%s-%s-4%s-a%s-%s", t.ID[:8], t.ID[8:12], t.ID[13:16], t.ID[17:20], t.ID[20:32])
}

// InterfaceID is the ID of the task's network interface.
func (t Task) InterfaceID() string { return "eni-" + t.ID[:17] }

// InterfaceID is the ID of the load balancer's network interface.
func (lb LoadBalancer) InterfaceID() string { return "eni-0" + lb.ID }

// PrivateDNSName is the name of an address in the VPC: ip-10-0-0-1.ec2.internal,
// outside us-east-1 with the region.
func (p Place) PrivateDNSName(ip string) string {
	return "ip-" + strings.ReplaceAll(ip, ".", "-") + "." + p.PrivateDomain()
}

// PrivateDomain is where addresses of the VPC have names: ec2.internal, outside
// us-east-1 with the region.
func (p Place) PrivateDomain() string {
	if p.Region == "us-east-1" {
		return "ec2.internal"
	}
	return p.Region + ".compute.internal"
}

// LoadBalancerName is what AWS calls a load balancer, without the final
// .amazonaws.com: [internal-]NAME-NUMBER.REGION.elb, in lower case.
func (p Place) LoadBalancerName(lb LoadBalancer) string {
	number, _ := strconv.ParseUint(lb.ID, 16, 64) // 16 digits
	prefix := ""
	if lb.Scheme == "internal" {
		prefix = "internal-"
	}
	return fmt.Sprintf("%s%s-%d.%s.elb", prefix, strings.ToLower(lb.Name), 1e9+number%1e9, p.Region)
}
