package script_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"neargate/internal/decide/policy"
	"neargate/internal/metric"
	"neargate/internal/model"
)

// pastLoad writes two weeks of load into the data directory of a server that
// has not started: two tasks at 90 % of their CPU in each minute. Clients cannot
// put it there: AWS's namespaces are not theirs. pastload DATA RESOURCE.
func pastLoad(ts *testscript.TestScript, _ bool, args []string) {
	store, err := metric.Open(filepath.Join(ts.MkAbs(args[0]), "metrics"), slog.New(slog.DiscardHandler))
	ts.Check(err)
	src := policy.SourcesOf(args[1], model.PredictiveMetrics{Pair: model.PredictiveMetric{Type: "ECSServiceCPUUtilization"}}).Load[0].Metric
	now := time.Now()
	var data []model.Datum
	for at := policy.Since(now); at.Before(now); at = at.Add(time.Minute) {
		data = append(data, model.Datum{ID: src, At: at, Unit: "Percent", Values: []float64{90, 90}, Gauge: true, Resolution: 60})
	}
	ts.Check(errors.Join(store.Put(now, data), store.Close()))
}
