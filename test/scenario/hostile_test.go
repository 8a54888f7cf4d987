package scenario_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ociclient"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// endLimit is how long the end of anything may take here: a start that fails, a
// StopTask, a server's SIGTERM. What hangs takes for ever.
const endLimit = 30 * time.Second

// nothing is a program that no image has: who comes as far as to miss it has
// read all of the image that is read.
const nothing = "/nothing"

// TestHostileImages starts tasks of images that try to hang, to fill or to
// reach. Each is an end of its own: the server goes on, stops them when it is
// told to, and ends when it is told to.
func TestHostileImages(t *testing.T) {
	s := serve(t, t.TempDir())
	c := newClient(s)
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{}))
	p := newPusher(c, s.cmd.Process.Pid)
	etc := tar.Header{Name: "etc", Typeflag: tar.TypeDir, Mode: 0o755}
	passwd := tar.Header{Name: "etc/passwd", Typeflag: tar.TypeReg, Mode: 0o644}
	put := func(name string, kind byte, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: kind, Linkname: to, Mode: 0o666, Devmajor: 1, Devminor: 11} // /dev/kmsg is harmless to open
	}
	huge := passwd
	huge.Size = 64 << 20
	for _, row := range []struct {
		name   string
		layer  []tar.Header
		entry  string
		reason string
	}{
		{"a pipe as parent of a whiteout", []tar.Header{put("x", tar.TypeFifo, ""), put("x/.wh..wh..opq", tar.TypeReg, "")}, nothing, "CannotPullContainerError"},
		{"a device as parent of a whiteout", []tar.Header{put("x", tar.TypeChar, ""), put("x/.wh..wh..opq", tar.TypeReg, "")}, nothing, "CannotStartContainerError"},
		{"passwd is a pipe", []tar.Header{etc, put("etc/passwd", tar.TypeFifo, "")}, nothing, "/etc/passwd: not a regular file"},
		{"passwd is a device", []tar.Header{etc, put("etc/passwd", tar.TypeChar, "")}, nothing, "CannotStartContainerError"},
		{"passwd is a link to a device", []tar.Header{etc, put("etc/passwd", tar.TypeSymlink, "/dev/kmsg")}, nothing, "CannotStartContainerError"},
		{"passwd is a link in a circle", []tar.Header{etc, put("etc/passwd", tar.TypeSymlink, "passwd")}, nothing, "too many levels of symbolic links"},
		{"passwd is huge", []tar.Header{etc, huge}, nothing, "more than the limit"},
		{"group is a pipe", []tar.Header{etc, passwd, put("etc/group", tar.TypeFifo, "")}, nothing, "/etc/group: not a regular file"},
		{"etc is a pipe", []tar.Header{put("etc", tar.TypeFifo, "")}, nothing, "CannotStartContainerError"},
		{"etc/hosts is a pipe", []tar.Header{etc, put("etc/hosts", tar.TypeFifo, "")}, nothing, "CannotStartContainerError"},
		{"etc/hosts is a link out", []tar.Header{etc, put("etc/hosts", tar.TypeSymlink, "../../../../../../../.."+s.data+"/made")}, nothing, "CannotStartContainerError"},
		{"dev is a link", []tar.Header{put("dev", tar.TypeSymlink, "/etc")}, nothing, "CannotStartContainerError"},
		{"proc is a pipe", []tar.Header{put("proc", tar.TypeFifo, "")}, nothing, "CannotStartContainerError"},
		{"the program is a pipe", []tar.Header{put("pipe", tar.TypeFifo, "")}, "/pipe", "CannotStartContainerError"},
		{"the program is a device", []tar.Header{put("dev", tar.TypeDir, "")}, "/dev/null", "CannotStartContainerError"},
		{"no files at all", nil, nothing, "CannotStartContainerError"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := p.in(t)
			task := p.run(p.push(plain(t, row.layer...)), row.entry)
			if got := p.ended(task); !strings.Contains(got, row.reason) {
				t.Errorf("stopped reason %q, want it to contain %q", got, row.reason)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(s.data, "made")); err == nil {
		t.Error("an image has made a file on the machine")
	}
	t.Run("a layer that takes minutes is stopped", func(t *testing.T) {
		p := p.in(t)
		task := p.run(p.push(minutes(t)), nothing)
		p.unpacking(1)
		must[*ecs.StopTaskOutput](t)(p.ecs.StopTask(t.Context(), &ecs.StopTaskInput{Task: &task}))
		p.ended(task)
		p.unpacking(0)
		if left, err := filepath.Glob(filepath.Join(s.data, "registry/tmp/layer-*")); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
	if err := healthy(t.Context(), s.Endpoint); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	p.run(p.push(minutes(t)), nothing)
	children := p.unpacking(1)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = s.cmd.Wait() // its exit code is the signal's business
	}()
	select {
	case <-gone:
	case <-time.After(endLimit):
		_ = s.cmd.Process.Kill()
		<-gone
		t.Error("the server did not end at SIGTERM while it unpacked a layer")
	}
	if strings.Contains(s.log.String(), "panic") {
		t.Error("the log tells of a panic")
	}
	for _, pid := range children {
		if b, err := os.ReadFile("/proc/" + pid + "/cmdline"); err == nil && strings.Contains(string(b), "layer-unpack") {
			t.Errorf("process %s still unpacks", pid)
		}
	}
}

// pusher pushes images made by hand and runs tasks of them.
type pusher struct {
	*client
	t        *testing.T
	registry ociregistry.Interface
	host     string
	server   int // process ID
	pushed   *int
}

const hostile = "hostile"

func newPusher(c *client, server int) pusher {
	ctx := c.t.Context()
	repo := must[*ecr.CreateRepositoryOutput](c.t)(c.ecr.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String(hostile)}))
	auth := must[*ecr.GetAuthorizationTokenOutput](c.t)(c.ecr.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{}))
	token := must[[]byte](c.t)(base64.StdEncoding.DecodeString(*auth.AuthorizationData[0].AuthorizationToken))
	user, password, _ := strings.Cut(string(token), ":")
	host, _, _ := strings.Cut(*repo.Repository.RepositoryUri, "/")
	registry := must[ociregistry.Interface](c.t)(ociclient.New(host, &ociclient.Options{Insecure: true, Transport: signer{user, password}}))
	return pusher{client: c, t: c.t, registry: registry, host: host, server: server, pushed: new(int)}
}

// signer adds the password to each request.
type signer struct{ user, password string }

// RoundTrip sends a request with it.
func (s signer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.SetBasicAuth(s.user, s.password)
	return http.DefaultTransport.RoundTrip(req)
}

// in is the pusher in a subtest.
func (p pusher) in(t *testing.T) pusher {
	t.Helper()
	c := *p.client
	c.t = t
	p.client, p.t = &c, t
	return p
}

func (p pusher) blob(mediaType string, data []byte) ocispec.Descriptor {
	p.t.Helper()
	d := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	must[ocispec.Descriptor](p.t)(p.registry.PushBlob(p.t.Context(), hostile, d, bytes.NewReader(data)))
	return d
}

// push pushes an image of one layer and returns its name.
func (p pusher) push(layer []byte) string {
	p.t.Helper()
	var config ocispec.Image
	config.OS, config.Architecture = runtime.GOOS, runtime.GOARCH
	config.RootFS.DiffIDs = []digest.Digest{digest.FromBytes(layer)}
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: p.blob(ocispec.MediaTypeImageConfig, must[[]byte](p.t)(json.Marshal(config))),
		Layers: []ocispec.Descriptor{p.blob(ocispec.MediaTypeImageLayer, layer)},
	}
	*p.pushed++
	tag := fmt.Sprintf("v%d", *p.pushed)
	must[ocispec.Descriptor](p.t)(p.registry.PushManifest(p.t.Context(), hostile, tag, must[[]byte](p.t)(json.Marshal(m)), m.MediaType))
	return p.host + "/" + hostile + ":" + tag
}

// run starts a task of one container.
func (p pusher) run(image, entry string) (arn string) {
	p.t.Helper()
	p.define(hostile, image, func(d *ecstypes.ContainerDefinition) { d.EntryPoint = []string{entry} })
	out := must[*ecs.RunTaskOutput](p.t)(p.ecs.RunTask(p.t.Context(), &ecs.RunTaskInput{
		TaskDefinition: aws.String(hostile), LaunchType: ecstypes.LaunchTypeFargate,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: p.network.Subnets}},
	}))
	if len(out.Tasks) != 1 {
		p.t.Fatalf("RunTask: %+v", out.Failures)
	}
	return *out.Tasks[0].TaskArn
}

// ended waits for a task's end and returns its reason.
func (p pusher) ended(arn string) (reason string) {
	p.t.Helper()
	eventually(p.t, endLimit, "the task to end", func() error {
		out := must[*ecs.DescribeTasksOutput](p.t)(p.ecs.DescribeTasks(p.t.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}}))
		reason = aws.ToString(out.Tasks[0].StoppedReason)
		if st := aws.ToString(out.Tasks[0].LastStatus); st != "STOPPED" {
			return errors.New(st)
		}
		return nil
	})
	return reason
}

// unpacking waits until the server unpacks so many layers and returns the
// processes that do.
func (p pusher) unpacking(want int) (pids []string) {
	p.t.Helper()
	eventually(p.t, endLimit, fmt.Sprintf("%d processes that unpack", want), func() error {
		out, _ := exec.Command("pgrep", "-P", fmt.Sprint(p.server), "-f", "layer-unpack").Output() // fails when there is none
		if pids = strings.Fields(string(out)); len(pids) != want {
			return fmt.Errorf("%v", pids)
		}
		return nil
	})
	return pids
}

// plain is a layer of entries without content but zeros.
func plain(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(w, zeros{}, h.Size); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

type zeros struct{}

// Read never ends.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// minutes is a layer of 30 MB that says it holds a file of 32 GiB, all zeros.
func minutes(t *testing.T) []byte {
	t.Helper()
	member := func(data io.Reader) []byte {
		var buf bytes.Buffer
		w := gzip.NewWriter(&buf)
		if _, err := io.Copy(w, data); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	head := plain(t, tar.Header{Name: "f", Typeflag: tar.TypeReg, Mode: 0o644, Format: tar.FormatPAX})[:512]
	copy(head[124:], "\x80\x00\x00\x00\x00\x00\x00\x08\x00\x00\x00\x00") // its size: 32 GiB
	copy(head[148:], "        ")
	sum := 0
	for _, b := range head {
		sum += int(b)
	}
	copy(head[148:], fmt.Sprintf("%06o\x00 ", sum))
	part := member(io.LimitReader(zeros{}, 64<<20))
	return append(member(bytes.NewReader(head)), bytes.Repeat(part, 512)...)
}
