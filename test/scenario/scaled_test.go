package scenario_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

var scaleIns = flag.Int("scale-ins", 4, "how often TestScaledInUnderLoad takes tasks away")

// TestScaledInUnderLoad takes one to four of five tasks away and brings them back,
// again and again, at 1,000 requests/s: over kept connections, one connection a
// request, and HTTP/2 in TLS. Nothing fails.
func TestScaledInUnderLoad(t *testing.T) {
	const most = 5
	s := serve(t, t.TempDir())
	c := newClient(s)
	c.define("web", c.pushApp(), nil)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	tg, address := c.balance("web")
	secure := c.alsoSecure(s, tg)
	c.service("web", "web", most, tg)
	defer destroy(t, s, c)
	c.stable("web")
	c.healthy(tg, most)

	var l loads
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l.thousand(ctx, t, address, secure)
	for range *scaleIns {
		for _, n := range []int{1 + rand.IntN(most-1), most} {
			c.scale("web", n)
			c.stable("web")
			c.healthy(tg, n)
		}
	}
	stop()
	l.wait()
	l.report(t)
}

// scale sets how many tasks a service is to have.
func (c *client) scale(name string, n int) {
	c.t.Helper()
	must[*ecs.UpdateServiceOutput](c.t)(c.ecs.UpdateService(c.t.Context(), &ecs.UpdateServiceInput{Service: aws.String(name), DesiredCount: aws.Int32(int32(n))}))
}
