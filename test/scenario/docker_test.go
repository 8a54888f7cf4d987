package scenario_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// docker is a Docker daemon in namespaces of its own, which take its bridge, its
// packet filter and its mounts with them.
type docker struct {
	t    *testing.T
	cmd  *exec.Cmd
	host string // as DOCKER_HOST
}

// The directories of a daemon, its own cgroup, and the runtime that it uses.
const (
	dockerCgroup = "neargate-test-docker"
	dockerStart  = `set -e
mount -t tmpfs tmpfs /run
ip link set lo up
exec dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" --host "unix://$1/sock" \
	--cgroup-parent /` + dockerCgroup + ` --add-runtime lesser="$1/runtime" --default-runtime lesser`
	// Where this machine itself lacks a capability, "privileged" cannot have it.
	lesserRuntime = `#!/bin/sh
was=
for a in "$@"; do
	case "$was" in
	--bundle) file=$a/config.json ;;
	--process) file=$a ;;
	*) file= ;;
	esac
	[ -z "$file" ] || sed -i -E 's/"(%s)",?//g; s/,\]/]/g' "$file"
	was=$a
done
exec runc "$@"
`
)

// newDocker starts a daemon, or skips the test where none can be had.
func newDocker(t *testing.T) *docker {
	t.Helper()
	for _, name := range []string{"dockerd", "docker", "runc", "iptables", "unshare", "nsenter", "ip", "aws", "curl", "dpkg-deb"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("needs " + name)
		}
	}
	dir := must[string](t)(os.MkdirTemp("", "ngdocker")) //nolint:usetesting // a short path: there are sockets below it
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	if err := unix.Capget(&hdr, &has[0]); err != nil {
		t.Fatal(err)
	}
	lacks := []string{"NONE"}
	if has[0].Effective&(1<<unix.CAP_SYS_RESOURCE) == 0 {
		lacks = append(lacks, "CAP_SYS_RESOURCE")
	}
	if err := os.WriteFile(filepath.Join(dir, "runtime"), fmt.Appendf(nil, lesserRuntime, strings.Join(lacks, "|")), 0o755); err != nil {
		t.Fatal(err)
	}
	log := &syncBuffer{}
	d := &docker{t, exec.Command("unshare", "--net", "--mount", "sh", "-c", dockerStart, "sh", dir), "unix://" + dir + "/sock"}
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.cmd.Wait() }()
	t.Cleanup(func() {
		_ = d.cmd.Process.Signal(syscall.SIGTERM)
		if err := <-ended; err != nil {
			t.Log("dockerd:", err)
		}
		for _, pattern := range []string{"/sys/fs/cgroup/" + dockerCgroup, "/sys/fs/cgroup/*/" + dockerCgroup} {
			dirs, _ := filepath.Glob(pattern)
			for _, dir := range dirs {
				if err := os.Remove(dir); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		err := exec.Command("docker", "--host", d.host, "version").Run()
		if err == nil {
			return d
		}
		if exited := len(ended) > 0; exited || time.Since(begin) > time.Minute {
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			t.Skipf("needs a machine that Docker runs on: %s", lines[len(lines)-1])
		}
	}
}

// run runs a shell's commands where the daemon publishes its ports.
func (d *docker) run(script string, args ...string) (string, error) {
	cmd := exec.CommandContext(d.t.Context(), "nsenter", slices.Concat([]string{"-t", fmt.Sprint(d.cmd.Process.Pid), "-n", "bash", "-euo", "pipefail", "-c", script, "sh"}, args)...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+d.host, "PATH="+filepath.Dir(neargate(d.t))+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (d *docker) must(script string, args ...string) string {
	d.t.Helper()
	out, err := d.run(script, args...)
	if err != nil {
		d.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return out
}

// greets waits for the service to answer at its published port.
func (d *docker) greets(when string) {
	d.t.Helper()
	eventually(d.t, 30*time.Second, "the service to answer "+when, func() error {
		out, err := d.run("curl -sSf --max-time 5 http://localhost:8000/")
		if err != nil || !strings.HasPrefix(out, "Hello") {
			return fmt.Errorf("got %q, %w", out, err)
		}
		return nil
	})
}

// ready waits for the server in the container to be reached from outside.
func (d *docker) ready() {
	d.t.Helper()
	eventually(d.t, 20*time.Second, "the server to be ready", func() error {
		out, err := d.run("curl -sSf http://localhost:4566/_neargate/health || docker logs neargate")
		if err != nil || !strings.Contains(out, `"ready"`) {
			return fmt.Errorf("got %q, %w", out, err)
		}
		return nil
	})
}

// stopDocker stops the container as Docker does by itself.
const stopDocker = `docker stop neargate && docker inspect -f 'exit code {{.State.ExitCode}}' neargate && `

// stopped returns how the tasks ended that have, "EXIT-CODE STOP-CODE", those that
// came first ahead.
func (d *docker) stopped() []string {
	d.t.Helper()
	out := d.must(`eval "$(docker exec neargate neargate env)"
		tasks=$(aws ecs list-tasks --cluster workshop --desired-status STOPPED --query taskArns --output text)
		[ -z "$tasks" ] || aws ecs describe-tasks --cluster workshop --tasks $tasks --output text \
			--query 'sort_by(tasks, &stoppedAt)[].[containers[0].exitCode, stopCode]'`)
	var ends []string
	for line := range strings.Lines(out) {
		ends = append(ends, strings.Join(strings.Fields(line), " "))
	}
	return ends
}

// freeze has one of the tasks' programs heed no signal but SIGKILL.
func (d *docker) freeze() {
	d.t.Helper()
	d.must("kill -STOP $(docker top neargate -eo pid,args | awk '/ example-app$/ { print $1; exit }')")
}

// TestInDocker loads the image as released, runs it as docs/docker.md says, takes
// the workshop's service up through the published ports, and stops, kills and
// replaces the container.
func TestInDocker(t *testing.T) {
	neargate(t)
	d := newDocker(t)
	dist := filepath.Join(t.TempDir(), "dist")
	release := exec.CommandContext(t.Context(), "go", "run", "neargate/release", "-version", "v0.0.0", "-arch", runtime.GOARCH, "-out", dist)
	release.Dir = "../.."
	if out, err := release.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d.must(`docker load -i "$1"`, filepath.Join(dist, "neargate-v0.0.0-"+runtime.GOARCH+".docker.tar"))
	const start = `docker run -d --name neargate --privileged -v neargate:/var/lib/neargate \
		-p 127.0.0.1:4566:4566 -p 127.0.0.1:8000-8010:8000-8010 neargate`
	d.must(start)
	t.Cleanup(func() {
		if out, err := exec.Command("docker", "--host", d.host, "rm", "-fv", "neargate").CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	d.ready()
	modules := must[string](t)(filepath.Abs("../../examples/modules"))
	d.must(`eval "$(docker exec neargate neargate env)"
		neargate example-image push "$(aws ecr create-repository --repository-name app --query repository.repositoryUri --output text)"
		declare -F aws >/dev/null && export -f aws
		"$1/2-service.sh"`, modules)
	d.greets("first")
	if out := d.must("docker exec neargate neargate doctor && docker exec neargate neargate ps --cluster workshop"); strings.Count(out, "RUNNING") != 2 {
		t.Errorf("want 2 tasks that run:\n%s", out)
	}

	// Whoever loses its parent is the first process's to wait for.
	first := d.must("docker inspect -f '{{.State.Pid}}' neargate")
	d.must(`nsenter -t "$1" -p sh -c 'sleep 1 & exit'; ps -o args= --ppid "$1" | grep '^sleep 1$'`, first)
	eventually(t, 10*time.Second, "the orphan to be waited for", func() error {
		if out := d.must(`ps -o stat=,args= --ppid "$1"`, first); strings.Contains(out, "sleep") {
			return errors.New(out)
		}
		return nil
	})
	for _, row := range []struct {
		when, script string
		stops        bool // the tasks, within the 10 s that Docker gives
	}{
		{"after a stop", stopDocker + "docker start neargate", true},
		{"after a kill", "docker kill neargate && docker start neargate", false},
		{"in another container", "docker rm -f neargate && " + strings.Replace(start, "docker run", "docker run --init", 1), false},
		{"after a stop below another init", stopDocker + "docker start neargate", true},
	} {
		known := d.stopped()
		if row.stops {
			d.freeze()
		}
		out := d.must(row.script)
		d.ready()
		d.greets(row.when)
		if !row.stops {
			continue
		}
		if !strings.Contains(out, "exit code 0\n") {
			t.Errorf("%s: the stopped server's exit code is not 0: %s", row.when, out)
		}
		want := []string{"137 TerminationNotice", "0 TerminationNotice"} // one heeds no signal
		if got := d.stopped()[len(known):]; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: the tasks ended by %q, want %q", row.when, got, want)
		}
	}
	if out, err := d.run("docker run --rm --privileged neargate --data /data"); err == nil || !strings.Contains(out, "lies on an overlay itself") || !strings.Contains(out, "hint: mount a volume") {
		t.Errorf("without a volume: %v\n%s", err, out)
	}
}
