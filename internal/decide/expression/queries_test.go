package expression

import (
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

func TestCheckTakesWhatReturnsOneSeries(t *testing.T) {
	hidden := new(false)
	m1 := model.MetricQuery{ID: "m1", Statistic: "Sum", Period: time.Minute, ReturnData: hidden}
	m2 := model.MetricQuery{ID: "m2", Statistic: "Average", Period: time.Minute, ReturnData: hidden}
	math := func(text string) model.MetricQuery { return model.MetricQuery{ID: "e1", Expression: text} }
	for name, c := range map[string]struct {
		list []model.MetricQuery
		want string // "" is taken
	}{
		"a quotient":          {[]model.MetricQuery{m1, m2, math("m1 / m2")}, ""},
		"filled":              {[]model.MetricQuery{m1, m2, math("FILL(m1, 0) / MAX([m1, m2])")}, ""},
		"a sum of all":        {[]model.MetricQuery{m1, m2, math("SUM(METRICS())")}, ""},
		"a condition":         {[]model.MetricQuery{m1, math("IF(m1 > 10, m1, 0)")}, ""},
		"the rate":            {[]model.MetricQuery{m1, math("m1 / PERIOD(m1)")}, ""},
		"through another":     {[]model.MetricQuery{m1, {ID: "half", Expression: "m1 / 2", ReturnData: hidden}, math("half + 1")}, ""},
		"a number":            {[]model.MetricQuery{m1, math("1 + 1")}, "is a number, not a time series"},
		"an array":            {[]model.MetricQuery{m1, m2, math("[m1, m2]")}, "is an array of time series, not one"},
		"an unknown id":       {[]model.MetricQuery{m1, math("m1 / m3")}, "the id 'm3' is not"},
		"a circle":            {[]model.MetricQuery{{ID: "e2", Expression: "e1", ReturnData: hidden}, math("e2")}, "in a circle"},
		"an unknown function": {[]model.MetricQuery{m1, math("LUCK(m1)")}, "function LUCK is not known"},
		"nothing to read":     {[]model.MetricQuery{m1, math("m1 /")}, "Error in expression 'e1'"},
		"nothing returned":    {[]model.MetricQuery{m1, m2}, "Exactly one element"},
		"two returned":        {[]model.MetricQuery{m1, math("m1"), {ID: "e2", Expression: "m1"}}, "Exactly one element"},
		"no queries":          {nil, "Exactly one element"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(c.list)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}
