package scenario_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// TestFullDisk kills a server whose disk is full: it comes up again there, its
// load balancer answers, and calls that change something work once there is room.
// On ext4, other than on tmpfs, a new directory takes a block as well.
func TestFullDisk(t *testing.T) {
	neargate(t)
	t.Run("tmpfs", func(t *testing.T) {
		disk := t.TempDir()
		mountTmpfs(t, disk)
		surviveFullDisk(t, disk, fillDisk)
	})
	t.Run("ext4", func(t *testing.T) {
		disk := t.TempDir()
		mountExt4(t, disk)
		surviveFullDisk(t, disk, func(t *testing.T, path string) {
			t.Helper()
			fillDisk(t, path)
			fillWithDirectories(t, disk)
		})
	})
}

func mountTmpfs(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=96m"); err != nil {
		t.Fatal(err)
	}
	unmountLater(t, dir)
}

func mountExt4(t *testing.T, dir string) {
	t.Helper()
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		t.Skip("needs mkfs.ext4 (package e2fsprogs)")
	}
	file := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 96<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mkfs.ext4", "-q", "-m", "0", file).CombinedOutput(); err != nil {
		t.Fatalf("make the file system: %v: %s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-o", "loop", file, dir).CombinedOutput(); err != nil {
		t.Skipf("needs a loop device: %v: %s", err, out)
	}
	unmountLater(t, dir)
}

func unmountLater(t *testing.T, dir string) {
	t.Helper()
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

func surviveFullDisk(t *testing.T, disk string, fill func(t *testing.T, file string)) {
	t.Helper()
	data, listen := filepath.Join(disk, "data"), fmt.Sprint("127.0.0.1:", freePort(t))
	s := serve(t, data, "--listen", listen)
	c := newClient(s)
	lb := must[*elb.CreateLoadBalancerOutput](t)(c.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String("full"), Subnets: c.network.Subnets,
	})).LoadBalancers[0]
	port := freePort(t)
	must[*elb.CreateListenerOutput](t)(c.elb.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(port),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("200")}}},
	}))
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	created := 0
	create := func() error {
		_, err := c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(fmt.Sprint("c", created))}, ecsOnce())
		if err == nil {
			created++
		}
		return err
	}
	for create() == nil { // the pages that the state has free take some
		if created == 1000 {
			t.Fatal("the disk is not full")
		}
	}

	s.stop(syscall.SIGKILL)
	s = start(t, data, "--listen", listen)
	eventually(t, 20*time.Second, "the server to be ready on a full disk", func() error { return healthy(t.Context(), "http://"+listen) })
	eventually(t, 5*time.Second, "the load balancer to answer", func() error {
		resp, err := http.Get("http://" + net.JoinHostPort(*lb.AvailabilityZones[0].LoadBalancerAddresses[0].IpAddress, fmt.Sprint(port)) + "/")
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
	found := 0
	for p := ecs.NewListClustersPaginator(c.ecs, &ecs.ListClustersInput{}); p.HasMorePages(); {
		found += len(must[*ecs.ListClustersOutput](t)(p.NextPage(t.Context())).ClusterArns)
	}
	if found != created {
		t.Errorf("%d clusters, want the %d that were acknowledged", found, created)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := create(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	s.stop(syscall.SIGTERM)
}

func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 1 << 16 {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
	t.Fatal("the disk does not fill")
}

// fillWithDirectories takes the blocks that are kept back from a file's content.
func fillWithDirectories(t *testing.T, disk string) {
	t.Helper()
	for i := range 1 << 16 {
		if err := os.Mkdir(filepath.Join(disk, fmt.Sprint("d", i)), 0o700); err != nil {
			return
		}
	}
	t.Fatal("the disk does not fill")
}
