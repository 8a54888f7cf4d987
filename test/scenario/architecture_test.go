package scenario_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ociclient"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

const binfmt = "/proc/sys/fs/binfmt_misc"

// TestArchitectures: a service for ARM64 waits on a machine without an emulator
// and runs as soon as there is one, beside the same image for the machine itself;
// an image of one architecture does not run for another.
func TestArchitectures(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("needs amd64: arm64 is what it emulates")
	}
	emulate := needsEmulator(t)
	s := serve(t, t.TempDir())
	c := newClient(s)
	ctx := t.Context()
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))
	defer destroy(t, s, c)
	both := c.pushMachine()
	must[*cloudwatchlogs.CreateLogGroupOutput](t)(c.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("machines")}))
	c.defineFor("web", both+":both", ecstypes.CPUArchitectureArm64)
	c.defineFor("again", both+":both", ecstypes.CPUArchitectureX8664)
	c.defineFor("bad", both+":amd64", ecstypes.CPUArchitectureArm64)

	c.service("web", "web", 1, "")
	if emulate == nil {
		t.Log("skipped, because this machine emulates arm64 already: a service that waits for that")
	} else {
		run := must[*ecs.RunTaskOutput](t)(c.ecs.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: aws.String("web"), NetworkConfiguration: &ecstypes.NetworkConfiguration{
			AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: c.network.Subnets[:1]},
		}}))
		if len(run.Failures) != 1 || *run.Failures[0].Reason != "ATTRIBUTE" || !strings.Contains(*run.Failures[0].Detail, "ARM64") {
			t.Errorf("RunTask: %+v, want a failure that names ARM64", run.Failures)
		}
		eventually(t, 20*time.Second, "an event that names the architecture", func() error {
			if all := messages(c.describe("web")); !strings.Contains(all, "is missing an attribute required by your task (ecs.cpu-architecture arm64).") {
				return errors.New(all)
			}
			return nil
		})
		emulate()
	}
	c.service("again", "again", 1, "")
	for name, want := range map[string]string{"web": "arm64", "again": "amd64"} {
		c.stable(name)
		for _, task := range c.tasks(name, ecstypes.DesiredStatusRunning) {
			if a := task.Attributes; len(a) != 1 || *a[0].Value != map[string]string{"arm64": "arm64", "amd64": "x86_64"}[want] {
				t.Errorf("%s: attributes %+v, want those of %s", name, a, want)
			}
		}
		eventually(t, 20*time.Second, name+" to tell its architecture", func() error {
			return c.printed(name, want+" and "+want+", <nil>")
		})
		eventually(t, 30*time.Second, name+" to be healthy by a command in its container", func() error {
			for _, task := range c.tasks(name, ecstypes.DesiredStatusRunning) {
				if task.HealthStatus != ecstypes.HealthStatusHealthy {
					return fmt.Errorf("it is %s", task.HealthStatus)
				}
			}
			return nil
		})
	}
	c.service("bad", "bad", 1, "")
	eventually(t, 20*time.Second, "ECS's words for an image of another architecture", func() error {
		want := "CannotPullContainerError: pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform 'linux/arm64'"
		if all := messages(c.describe("bad")); !strings.Contains(all, want) {
			return errors.New(all)
		}
		return nil
	})
}

// needsEmulator skips the test where arm64 cannot be emulated. Where the machine
// does not do so yet, it returns what makes it, until the test has ended.
func needsEmulator(t *testing.T) (emulate func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if entries, err := filepath.Glob(binfmt + "/*aarch64*"); err == nil && len(entries) > 0 {
		return nil
	}
	conf, err := os.ReadFile("/usr/lib/binfmt.d/qemu-aarch64.conf")
	if err != nil {
		t.Skip("needs an emulator of arm64: apt-get install qemu-user-static")
	}
	register := filepath.Join(binfmt, "register")
	if _, err := os.Stat(register); err != nil {
		if err := unix.Mount("binfmt_misc", binfmt, "binfmt_misc", 0, ""); err != nil {
			t.Skipf("needs binfmt_misc in the kernel: %v", err)
		}
		t.Cleanup(func() {
			if err := unix.Unmount(binfmt, 0); err != nil {
				t.Error(err)
			}
		})
	}
	name := "neargate-test-aarch64"
	entry := strings.Replace(strings.TrimSpace(string(conf)), ":qemu-aarch64:", ":"+name+":", 1)
	return func() {
		if err := os.WriteFile(register, []byte(entry), 0); err != nil {
			t.Fatalf("register %s: %v", entry, err)
		}
		t.Cleanup(func() {
			if err := os.WriteFile(filepath.Join(binfmt, name), []byte("-1"), 0); err != nil {
				t.Error(err)
			}
		})
	}
}

// defineFor registers a definition for an architecture, whose output goes to the
// log group machines.
func (c *client) defineFor(family, image string, a ecstypes.CPUArchitecture) {
	c.t.Helper()
	must[*ecs.RegisterTaskDefinitionOutput](c.t)(c.ecs.RegisterTaskDefinition(c.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(family), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		RuntimePlatform:         &ecstypes.RuntimePlatform{CpuArchitecture: a, OperatingSystemFamily: ecstypes.OSFamilyLinux},
		ExecutionRoleArn:        aws.String("arn:aws:iam::000000000000:role/ecsTaskExecutionRole"),
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String(image),
			HealthCheck:     &ecstypes.HealthCheck{Command: []string{"CMD", "/machine", "child"}, Interval: aws.Int32(5)},
			LinuxParameters: &ecstypes.LinuxParameters{InitProcessEnabled: aws.Bool(true)},
			LogConfiguration: &ecstypes.LogConfiguration{LogDriver: ecstypes.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": "machines", "awslogs-region": "us-east-1", "awslogs-stream-prefix": family,
			}},
		}},
	}))
}

// printed returns an error until a task of a family has printed a line.
func (c *client) printed(family, line string) error {
	out, err := c.logs.FilterLogEvents(c.t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("machines"), LogStreamNamePrefix: aws.String(family + "/")})
	if err != nil {
		return err
	}
	var all []string
	for _, e := range out.Events {
		if *e.Message == line {
			return nil
		}
		all = append(all, *e.Message)
	}
	return fmt.Errorf("%q, not %q", all, line)
}

// pushMachine pushes images of testdata/machine to a repository whose URI it
// returns: amd64, arm64, and both, an index of them.
func (c *client) pushMachine() string {
	c.t.Helper()
	ctx, name := c.t.Context(), "machine"
	repo := must[*ecr.CreateRepositoryOutput](c.t)(c.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String(name)}))
	auth := must[*ecr.GetAuthorizationTokenOutput](c.t)(c.ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{}))
	host, _, _ := strings.Cut(*repo.Repository.RepositoryUri, "/")
	to := must[ociregistry.Interface](c.t)(ociclient.New(host, &ociclient.Options{Insecure: true, Transport: withPassword(*auth.AuthorizationData[0].AuthorizationToken)}))
	blob := func(kind string, data []byte) ocispec.Descriptor {
		d := ocispec.Descriptor{MediaType: kind, Digest: digest.FromBytes(data), Size: int64(len(data))}
		must[ocispec.Descriptor](c.t)(to.PushBlob(ctx, name, d, bytes.NewReader(data)))
		return d
	}
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	for _, arch := range []string{"amd64", "arm64"} {
		platform := ocispec.Platform{OS: "linux", Architecture: arch}
		layer := blob(ocispec.MediaTypeImageLayer, machineLayer(c.t, arch))
		config := must[[]byte](c.t)(json.Marshal(ocispec.Image{
			Platform: platform, Config: ocispec.ImageConfig{Entrypoint: []string{"/machine"}},
			RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer.Digest}},
		}))
		manifest := must[[]byte](c.t)(json.Marshal(ocispec.Manifest{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
			Config: blob(ocispec.MediaTypeImageConfig, config), Layers: []ocispec.Descriptor{layer},
		}))
		d := must[ocispec.Descriptor](c.t)(to.PushManifest(ctx, name, arch, manifest, ocispec.MediaTypeImageManifest))
		d.Size, d.Platform = int64(len(manifest)), &platform
		index.Manifests = append(index.Manifests, d)
	}
	must[ocispec.Descriptor](c.t)(to.PushManifest(ctx, name, "both", must[[]byte](c.t)(json.Marshal(index)), index.MediaType))
	return *repo.Repository.RepositoryUri
}

// machineLayer is the program, for an architecture.
func machineLayer(t *testing.T, arch string) []byte {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "machine")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", exe, "./testdata/machine")
	build.Env = append(build.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build for %s: %v\n%s", arch, err, out)
	}
	program := must[[]byte](t)(os.ReadFile(exe))
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "machine", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	must[int](t)(w.Write(program))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
