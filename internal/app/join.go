package app

import (
	"time"

	"neargate/internal/logs"
)

// logGroups is what the scheduler asks of the logs.
type logGroups struct{ *logs.Logs }

// HasGroup says whether there is a group of that name.
func (l logGroups) HasGroup(name string) bool {
	_, err := l.Group(name)
	return err == nil
}

// networks is where subnets and security groups are looked up. The VPCs are
// opened after those who ask.
type networks struct{ *parts }

// Subnet returns the VPC and the availability zone of a subnet.
func (n networks) Subnet(id string) (vpcID, zone string, ok bool) { return n.networks.Subnet(id) }

// GroupVPC returns the VPC of a security group.
func (n networks) GroupVPC(id string) (vpcID string, ok bool) { return n.networks.GroupVPC(id) }

// deploymentAlarms is what the scheduler asks of the alarms.
type deploymentAlarms struct{ *parts }

// InAlarm returns those of the named alarms that are in ALARM.
func (d deploymentAlarms) InAlarm(names []string) []string {
	var all []string
	for _, name := range names {
		if al, ok := d.alarms.Alarm(name); ok && al.State == "ALARM" {
			all = append(all, name)
		}
	}
	return all
}

// Window returns the longest time over which one of the named alarms is
// evaluated.
func (d deploymentAlarms) Window(names []string) (longest time.Duration) {
	for _, name := range names {
		if al, ok := d.alarms.Alarm(name); ok {
			longest = max(longest, time.Duration(al.EvaluationPeriods)*al.Period)
		}
	}
	return longest
}
