package supervisor

import (
	"testing"
	"time"
)

func TestRestartApplies(t *testing.T) {
	policy := &Restart{IgnoredExitCodes: []int{0, 5}, AttemptPeriod: time.Minute}
	for _, row := range []struct {
		name   string
		policy *Restart
		code   int
		ran    time.Duration
		want   bool
	}{
		{"without a policy", nil, 1, time.Hour, false},
		{"after the period", policy, 1, time.Minute, true},
		{"too early", policy, 1, time.Minute - 1, false},
		{"an ignored code", policy, 5, time.Hour, false},
		{"success, where it is not ignored", &Restart{}, 0, 0, true},
	} {
		if got := row.policy.applies(row.code, row.ran); got != row.want {
			t.Errorf("%s: got %v", row.name, got)
		}
	}
}
