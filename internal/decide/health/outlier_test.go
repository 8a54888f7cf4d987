package health

import (
	"testing"
	"time"
)

func TestOutlier(t *testing.T) {
	at := time.Unix(1000, 0)
	for _, row := range []struct {
		name    string
		results string // of requests, a second apart: . well, x failed
		after   time.Duration
		ejected bool
	}{
		{"nothing known", "", 0, false},
		{"four failures", "xxxx", 0, false},
		{"five in a row", "xxxxx", 0, true},
		{"not in a row", "xxxx.xxxx", 0, false},
		{"just before the end", "xxxxx", outlierPause - 2*time.Second, true},
		{"at the end", "xxxxx", outlierPause, false},
		{"a success does not bring it back", "xxxxx.", 0, true},
		{"it begins anew afterwards", "xxxxxxxxx", outlierPause, false},
	} {
		o, now := Outlier{}, at
		for i, r := range row.results {
			now = at.Add(time.Duration(i) * time.Second)
			o = o.After(r == 'x', now)
		}
		if got := o.Ejected(now.Add(row.after)); got != row.ejected {
			t.Errorf("%s: ejected %v, want %v", row.name, got, row.ejected)
		}
	}
}
