package app

import (
	"neargate/internal/logs"
)

// logGroups is what the scheduler asks of the logs.
type logGroups struct{ *logs.Logs }

// HasGroup says whether there is a group of that name.
func (l logGroups) HasGroup(name string) bool {
	_, err := l.Group(name)
	return err == nil
}

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
