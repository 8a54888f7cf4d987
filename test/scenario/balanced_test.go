package scenario_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// TestServiceBehindBalancer is the shortest story of the whole: an image is
// pushed, a service of two tasks runs it behind a load balancer, answers, and
// goes. It runs on other kernels, too (test/vm).
func TestServiceBehindBalancer(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	c.define("web", c.pushApp(), nil)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	tg, address := c.balance("web")
	c.service("web", "web", 2, tg)
	defer destroy(t, s, c)
	c.stable("web")
	eventually(t, 30*time.Second, "an answer through the load balancer", func() error {
		resp, err := http.Get("http://" + address + "/")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", resp.Status, body)
		}
		return err
	})
}
