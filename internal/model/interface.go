package model

import (
	"fmt"
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
	name := "ip-" + strings.ReplaceAll(ip, ".", "-")
	if p.Region == "us-east-1" {
		return name + ".ec2.internal"
	}
	return name + "." + p.Region + ".compute.internal"
}
