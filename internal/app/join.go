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
