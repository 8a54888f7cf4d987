package collect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

// TestConnectMetrics: what an endpoint got, and what its clients had of it, in
// AWS's names; what did not happen is not published.
func TestConnectMetrics(t *testing.T) {
	values := []float64{0.001, 0.5}
	at := func(second int, e model.ConnectTraffic) readings {
		now := time.Unix(int64(1000+second), 0)
		return readings{at: now, read: now, endpoints: []model.ConnectTraffic{e}}
	}
	before := model.ConnectTraffic{
		DiscoveryName: "orders", Cluster: "c", Service: "orders", Requests: 10, NewConns: 3, ActiveConns: 2, Bytes: 1000, Targets: 2,
		Clients: []model.ConnectClientTraffic{{Cluster: "c", Service: "web", Requests: 10, Status: [6]uint64{2: 10}, ResponseTime: model.Buckets{Values: values, Counts: []uint64{10, 0}, Sum: 0.01}}},
	}
	after := before
	after.Requests, after.Bytes = 16, 1600
	after.Clients = []model.ConnectClientTraffic{{
		Cluster: "c", Service: "web", Requests: 16, Status: [6]uint64{2: 12, 5: 4}, Bytes: 600,
		ResponseTime: model.Buckets{Values: values, Counts: []uint64{12, 4}, Sum: 2.012},
	}}
	_, data := compute(at(0, before), at(1, after))
	var got []string
	for _, d := range data {
		sum := 0.0
		for i, v := range d.Values {
			if d.Counts == nil {
				sum += v
			} else {
				sum += v * d.Counts[i]
			}
		}
		var dims []string
		for _, one := range d.ID.Dimensions {
			dims = append(dims, one.Name+"="+one.Value)
		}
		got = append(got, fmt.Sprintf("%s %s %s %g %s", d.ID.Namespace, d.ID.Name, strings.Join(dims, ","), sum, d.Unit))
	}
	slices.Sort(got)
	var want []string
	for _, dims := range []string{"DiscoveryName=orders", "ClusterName=c,DiscoveryName=orders,ServiceName=orders"} {
		want = append(want, "AWS/ECS RequestCount "+dims+" 6 Count", "AWS/ECS ProcessedBytes "+dims+" 600 Bytes", "AWS/ECS ActiveConnectionCount "+dims+" 2 Count")
	}
	for _, dims := range []string{"TargetDiscoveryName=orders", "ClusterName=c,ServiceName=web,TargetDiscoveryName=orders"} {
		want = append(want, "AWS/ECS HTTPCode_Target_2XX_Count "+dims+" 2 Count", "AWS/ECS HTTPCode_Target_5XX_Count "+dims+" 4 Count",
			"AWS/ECS RequestCountPerTarget "+dims+" 3 Count", "AWS/ECS TargetProcessedBytes "+dims+" 600 Bytes",
			"AWS/ECS TargetResponseTime "+dims+" 2002 Milliseconds")
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
