package scenario_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	efstypes "github.com/aws/aws-sdk-go-v2/service/efs/types"
)

// shop is a service as people publish them: a web server and a sidecar that writes
// the pages that it serves, with a file system that all tasks have. Each container
// checks from inside what it was promised, and ends where it was not.
const shop = `{
  "family": "web", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512", "pidMode": "task",
  "volumes": [
    {"name": "pages", "host": {}},
    {"name": "uploads", "efsVolumeConfiguration": {"fileSystemId": "FS", "transitEncryption": "ENABLED", "authorizationConfig": {"accessPointId": "AP", "iam": "ENABLED"}}}
  ],
  "containerDefinitions": [
    {"name": "app", "image": "IMAGE", "essential": true, "user": "web", "readonlyRootFilesystem": true, "portMappings": [{"containerPort": 8080}],
     "linuxParameters": {"initProcessEnabled": true}, "systemControls": [{"namespace": "net.core.somaxconn", "value": "777"}],
     "restartPolicy": {"enabled": true, "restartAttemptPeriod": 60}, "dockerLabels": {"team": "shop"},
     "dependsOn": [{"containerName": "writer", "condition": "HEALTHY"}],
     "mountPoints": [{"sourceVolume": "pages", "containerPath": "/srv", "readOnly": true}, {"sourceVolume": "uploads", "containerPath": "/srv/up"}],
     "command": ["sh", "-ec", "! touch /srv/x; ! touch /x; test $(cat /proc/sys/net/core/somaxconn) = 777; ps | grep -q writer-loop; hostname >> /srv/up/log; test $(stat -c %u /srv/up/log) = 101; exec httpd -f -p 8080 -h /srv"]},
    {"name": "writer", "image": "IMAGE", "essential": false, "user": "root", "startTimeout": 60,
     "healthCheck": {"command": ["CMD-SHELL", "test -f /out/index.html"], "interval": 5, "timeout": 2},
     "mountPoints": [{"sourceVolume": "pages", "containerPath": "/out"}],
     "command": ["sh", "-ec", "mkdir -p /out/up; echo of the sidecar > /out/index.html; while true; do sleep 1; done # writer-loop"]}
  ]
}`

// TestServiceWithVolumes runs it twice, kills the server, and takes it away: what
// tasks wrote into the file system is there until that goes.
func TestServiceWithVolumes(t *testing.T) {
	data, listen := t.TempDir(), fmt.Sprint("127.0.0.1:", freePort(t))
	s := serve(t, data, "--listen", listen)
	c, ctx := newClient(s), t.Context()
	systems := efs.New(efs.Options{Region: s.Region, BaseEndpoint: &s.Endpoint, Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, "")})
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))
	fs, point, target := c.fileSystem(systems)
	image := c.pushShell()
	c.register(strings.NewReplacer("FS", fs, "AP", point, "IMAGE", image).Replace(shop))
	c.service("web", "web", 2, "")
	c.stable("web")
	log := ""
	for _, ip := range c.addresses("web") {
		want(t, ip, "/", "of the sidecar\n")
		log = page(t, ip, "/up/log")
	}
	if n := strings.Count(log, "ip-"); n != 2 {
		t.Errorf("the file system has %q, want a line of each task", log)
	}
	s.stop(syscall.SIGKILL)
	s = serve(t, data, "--listen", listen)
	c = newClient(s)
	c.stable("web")
	want(t, c.addresses("web")[0], "/up/log", log)

	c.register(strings.NewReplacer("FS", "fs-00000000", "AP", point, "IMAGE", image, `"family": "web"`, `"family": "bad"`).Replace(shop))
	c.service("bad", "bad", 1, "")
	c.stopsWith("bad", `ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve "fs-00000000.efs.us-east-1.amazonaws.com"`)
	must[*efs.DeleteMountTargetOutput](t)(systems.DeleteMountTarget(ctx, &efs.DeleteMountTargetInput{MountTargetId: &target}))
	destroy(t, s, c)
	if left, err := filepath.Glob(filepath.Join(data, "efs", fs, "shop/uploads/log")); err != nil || len(left) != 1 {
		t.Errorf("after the tasks' end the file system has %v, %v", left, err)
	}
	if left, err := filepath.Glob(filepath.Join(data, "runtime/tasks/*/volumes")); err != nil || len(left) > 0 {
		t.Errorf("volumes stay behind: %v, %v", left, err)
	}
}

// fileSystem makes a file system that tasks reach, with an access point.
func (c *client) fileSystem(systems *efs.Client) (id, point, target string) {
	c.t.Helper()
	ctx := c.t.Context()
	fs := must[*efs.CreateFileSystemOutput](c.t)(systems.CreateFileSystem(ctx, &efs.CreateFileSystemInput{CreationToken: aws.String("shop")}))
	mt := must[*efs.CreateMountTargetOutput](c.t)(systems.CreateMountTarget(ctx, &efs.CreateMountTargetInput{FileSystemId: fs.FileSystemId, SubnetId: &c.network.Subnets[0]}))
	ap := must[*efs.CreateAccessPointOutput](c.t)(systems.CreateAccessPoint(ctx, &efs.CreateAccessPointInput{
		FileSystemId: fs.FileSystemId, ClientToken: aws.String("shop"), PosixUser: &efstypes.PosixUser{Uid: aws.Int64(1001), Gid: aws.Int64(1001)},
		RootDirectory: &efstypes.RootDirectory{
			Path: aws.String("/shop/uploads"), CreationInfo: &efstypes.CreationInfo{OwnerUid: aws.Int64(1001), OwnerGid: aws.Int64(1001), Permissions: aws.String("750")},
		},
	}))
	return *fs.FileSystemId, *ap.AccessPointId, *mt.MountTargetId
}

// register registers a task definition as people write it.
func (c *client) register(definition string) {
	c.t.Helper()
	var in ecs.RegisterTaskDefinitionInput
	if err := json.Unmarshal([]byte(definition), &in); err != nil { // which minds no case
		c.t.Fatal(err)
	}
	must[*ecs.RegisterTaskDefinitionOutput](c.t)(c.ecs.RegisterTaskDefinition(c.t.Context(), &in))
}

func page(t *testing.T, ip, path string) (text string) {
	t.Helper()
	eventually(t, 20*time.Second, "an answer of "+ip, func() error {
		resp, err := http.Get("http://" + ip + ":8080" + path)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		text = string(body)
		return err
	})
	return text
}

func want(t *testing.T, ip, path, text string) {
	t.Helper()
	if got := page(t, ip, path); got != text {
		t.Errorf("%s of %s: got %q, want %q", path, ip, got, text)
	}
}
