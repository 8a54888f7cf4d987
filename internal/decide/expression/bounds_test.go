package expression

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

// Expressions that grow with each other are refused, whichever way they grow,
// before anything large is made; what AWS allows is answered.
func TestExpressionsAreBounded(t *testing.T) {
	hidden := new(false)
	metrics := func(n int) (list []model.MetricQuery) {
		for i := range n {
			list = append(list, model.MetricQuery{ID: fmt.Sprintf("m%d", i), Statistic: "Sum", Period: time.Minute, ReturnData: hidden})
		}
		return list
	}
	math := func(list []model.MetricQuery, texts ...string) []model.MetricQuery {
		for i, text := range texts {
			one := model.MetricQuery{ID: string(rune('a' + i)), Expression: text, ReturnData: hidden}
			if i == len(texts)-1 {
				one.ReturnData = nil
			}
			list = append(list, one)
		}
		return list
	}
	array := func(id string, n int) string { return "[" + strings.Repeat(id+",", n-1) + id + "]" }
	doubled := func(n int) (list []model.MetricQuery) {
		texts := []string{"METRICS()"}
		for i := range n {
			id := string(rune('a' + i))
			texts = append(texts, id+"+m0-m0+m0-m0+m0")
		}
		return math(metrics(400), append(texts, "SUM("+string(rune('a'+n))+")")...)
	}
	for name, c := range map[string]struct {
		list []model.MetricQuery
		want string // "" is answered
	}{
		"as many metrics as a request has": {math(metrics(499), "SUM(METRICS())"), ""},
		"an array of 500":                  {math(metrics(1), array("m0", 500), "MAX(a)"), ""},
		"an array of 501":                  {math(metrics(1), array("m0", 501), "MAX(a)"), "at most 500 time series"},
		"arrays of arrays":                 {math(metrics(1), array("m0", 200), array("a", 200), array("b", 100), "MAX(c)"), "at most 500 time series"},
		"a long expression":                {math(metrics(1), "m0"+strings.Repeat("+m0", 682)), ""},
		"a longer one":                     {math(metrics(1), "m0"+strings.Repeat("+m0", 683)), "at most 2048 characters"},
		"arithmetic on many series":        {doubled(20), "datapoints would be handled"},
		"filling many":                     {math(metrics(400), "FILL(METRICS(), 0)", "FILL(a, 0)", "SUM(b)"), "datapoints would be handled"},
	} {
		t.Run(name, func(t *testing.T) {
			window := func(int64) Series { return Series{Start: 0, End: 10_000 * 60, Period: 60} }
			points := window(60)
			for at := range int64(1000) {
				points.At, points.V = append(points.At, at*60), append(points.V, 1)
			}
			_, err := NewQueries(c.list, Data{
				Read:  func(model.MetricQuery) (Series, error) { return points, nil },
				Frame: window, Period: 60,
			}).Returned()
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}
