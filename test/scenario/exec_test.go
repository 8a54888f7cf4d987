package scenario_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sys/unix"

	"neargate/internal/session"
	sessions "neargate/internal/session/client"
)

// plugin builds AWS's session-manager-plugin from its module and returns the
// directory that it is in, or skips the test.
func plugin(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-mod=mod", "-o", filepath.Join(dir, "session-manager-plugin"), "github.com/aws/session-manager-plugin/src/sessionmanagerplugin-main")
	build.Dir, build.Env = filepath.Join("..", "plugin"), append(os.Environ(), "GOFLAGS=-buildvcs=false")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("needs AWS's session-manager-plugin, which cannot be built here: %v\n%s", err, out)
	}
	return dir
}

// taskRole makes a role for tasks and returns its ARN.
func taskRole(s *server) string {
	s.t.Helper()
	roles := iam.New(iam.Options{
		Region: s.Region, BaseEndpoint: aws.String(s.Endpoint), Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
	return *must[*iam.CreateRoleOutput](s.t)(roles.CreateRole(s.t.Context(), &iam.CreateRoleInput{
		RoleName:                 aws.String("task"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	})).Role.Arn
}

// runShell runs a task that sleeps, with ECS Exec, and returns its ARN.
func (c *client) runShell(role string) string {
	c.t.Helper()
	ctx := c.t.Context()
	must[*ecs.CreateClusterOutput](c.t)(c.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))
	must[*ecs.RegisterTaskDefinitionOutput](c.t)(c.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("shell"), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("1024"), Memory: aws.String("2048"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate}, TaskRoleArn: &role,
		ContainerDefinitions: []ecstypes.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String(c.pushShell()), StopTimeout: aws.Int32(2), Environment: []ecstypes.KeyValuePair{{Name: aws.String("GREETING"), Value: aws.String("hello you")}},
		}},
	}))
	out := must[*ecs.RunTaskOutput](c.t)(c.ecs.RunTask(ctx, &ecs.RunTaskInput{
		TaskDefinition: aws.String("shell"), EnableExecuteCommand: true,
		NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: c.network.Subnets}},
	}))
	arn := *out.Tasks[0].TaskArn
	eventually(c.t, 20*time.Second, "the task to run", func() error {
		t := must[*ecs.DescribeTasksOutput](c.t)(c.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: []string{arn}})).Tasks[0]
		if *t.LastStatus != "RUNNING" || *t.Containers[0].ManagedAgents[0].LastStatus != "RUNNING" {
			return fmt.Errorf("it is %s: %s", *t.LastStatus, aws.ToString(t.StoppedReason))
		}
		return nil
	})
	return arn
}

// endTask stops a task and waits for its end.
func (c *client) endTask(s *server, task string) {
	c.t.Helper()
	_, err := c.ecs.StopTask(context.WithoutCancel(c.t.Context()), &ecs.StopTaskInput{Task: &task})
	if err != nil {
		c.t.Error(err)
	}
	eventually(c.t, 20*time.Second, "the task to end", func() error {
		if pids := s.supervisors(); len(pids) > 0 {
			return fmt.Errorf("supervisors %v", pids)
		}
		return nil
	})
}

// awsExec is the AWS CLI's command for a command in a task.
func awsExec(s *server, plugins, task, command string) *exec.Cmd {
	cmd := exec.Command("aws", "--endpoint-url", s.Endpoint, "ecs", "execute-command", "--task", task, "--container", "app", "--interactive", "--command", command)
	cmd.Env = append(os.Environ(), "PATH="+plugins+":"+os.Getenv("PATH"), "AWS_REGION="+s.Region, "AWS_DEFAULT_REGION="+s.Region,
		"AWS_ACCESS_KEY_ID="+s.AccessKey, "AWS_SECRET_ACCESS_KEY="+s.SecretKey, "AWS_CA_BUNDLE="+s.CAFile, "SSL_CERT_FILE="+s.CAFile)
	return cmd
}

// TestExecByAWSClient goes into a container as AWS's users do: the AWS CLI, and
// AWS's plugin, in a terminal and without.
func TestExecByAWSClient(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("needs the AWS CLI: apt-get install awscli")
	}
	neargate(t) // before the plugin is built
	plugins := plugin(t)
	listen := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	s := serve(t, t.TempDir(), "--listen", listen)
	c := newClient(s)
	task := c.runShell(taskRole(s))
	defer func() { c.endTask(s, task) }()

	t.Run("a shell in a terminal", func(t *testing.T) {
		x := openTerminal(t, awsExec(s, plugins, task, "/bin/sh"), 25, 81)
		x.sees("Starting session with SessionId: ecs-execute-command-0")
		x.sees("/tmp # ")
		x.keys("echo $((6*7)) $GREETING $(id -u) $(tty) $TERM; stty size\r")
		x.sees("42 hello you 0 /dev/pts/0 xterm-256color\n25 81\n")
		x.resize(40, 132)
		x.keys("until [ \"$(stty size)\" = '40 132' ]; do sleep .1; done; echo re''sized\r")
		x.sees("resized\n")
		x.keys("echo sleep''ing; sleep 1000\r")
		x.sees("sleeping\n")
		x.keys("\x03")
		x.sees("^C\n")
		x.keys("echo after $?\r")
		x.sees("after 130\n")
		x.keys("echo read''ing; cat; echo read all\r")
		x.sees("reading\n")
		x.keys("a line\r")
		x.sees("a line\na line\n") // as it was typed, and as cat repeats it
		x.keys("\x04")
		x.sees("read all\n")
		x.keys("exit 3\r")
		x.sees("Exiting session with sessionId: ecs-execute-command-0")
		if code := x.wait(); code != 0 { // the plugin knows no other
			t.Errorf("got exit code %d of the AWS CLI", code)
		}
	})
	t.Run("a program that is not there", func(t *testing.T) {
		cmd := awsExec(s, plugins, task, "nosuch --flag")
		stdin := must[io.WriteCloser](t)(cmd.StdinPipe()) // its end would be the plugin's
		defer stdin.Close()
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), ` : Unable to start command: Failed to start pty: `) || !strings.Contains(string(out), `exec: "nosuch": executable file not found`) {
			t.Errorf("got %v: %s", err, out)
		}
	})
	t.Run("ten megabytes, byte for byte, and a reader that waits", func(t *testing.T) { manyBytes(t, s, plugins, task) })
	t.Run("neargate exec", func(t *testing.T) { ownExec(t, s, task) })
	// A session that nobody can end ends with the server, also a killed one.
	x := openTerminal(t, awsExec(s, plugins, task, "/bin/sh"), 25, 80)
	x.sees("/tmp # ")
	x.keys("echo $((6*7)); trap '' HUP; sleep 4321\r")
	x.sees("42\n")
	s.stop(syscall.SIGKILL)
	s = serve(t, s.data, "--listen", listen)
	c = newClient(s)
	x.sees("timed out.") // it has asked the next server
	if code := x.wait(); code != 0 {
		t.Errorf("got exit code %d", code)
	}
	out, code := run(t, c, task, "sh", "-c", "while ps -o args | grep -q '[s]leep 4321'; do sleep .1; done; echo gone; exit 5")
	if out != "gone\n" || code != 5 {
		t.Errorf("got %q and code %d in a task of the server before", out, code)
	}
}

// ownExec goes in by neargate exec.
func ownExec(t *testing.T, s *server, task string) {
	t.Helper()
	command := func(args ...string) *exec.Cmd {
		return exec.Command(neargate(t), append([]string{"exec", "--data", s.data, "--task", task[len(task)-32:][:10], "--"}, args...)...)
	}
	data := bytes.Repeat([]byte("0123456789abcde\n"), 1<<16)
	in := command("sh", "-c", "cat >/tmp/in; wc -c </tmp/in; echo told >&2; exit 7")
	in.Stdin = bytes.NewReader(data)
	var out, errs bytes.Buffer
	in.Stdout, in.Stderr = &out, &errs
	if err := in.Run(); in.ProcessState.ExitCode() != 7 || out.String() != "1048576\n" || errs.String() != "told\n" {
		t.Errorf("got %v, output %q, errors %q", err, out.String(), errs.String())
	}
	if back, err := command("cat", "/tmp/in").Output(); err != nil || !bytes.Equal(back, data) {
		t.Errorf("got %v and %d bytes", err, len(back))
	}
	x := openTerminal(t, command(), 30, 90)
	x.sees("/tmp # ")
	x.keys("echo $((6*7)) $TERM; stty size\r")
	x.sees("42 xterm-256color\n30 90\n")
	x.resize(31, 91)
	x.keys("until [ \"$(stty size)\" = '31 91' ]; do sleep .1; done; echo re''sized\r")
	x.sees("resized\n")
	x.keys("echo sleep''ing; sleep 1000\r")
	x.sees("sleeping\n")
	x.keys("\x03") // to the command, not to neargate
	x.sees("^C\n")
	x.keys("exit 9\r")
	if code := x.wait(); code != 9 {
		t.Errorf("got exit code %d; the terminal shows %q", code, x.out.String())
	}
	if state := must[*unix.Termios](t)(unix.IoctlGetTermios(int(x.master.Fd()), unix.TCGETS)); state.Lflag&unix.ECHO == 0 || state.Lflag&unix.ICANON == 0 {
		t.Errorf("the terminal is left raw: %x", state.Lflag)
	}
}

// manyBytes has a container write a file of 10 MiB, with a command that cannot
// end while nobody reads.
func manyBytes(t *testing.T, s *server, plugins, task string) {
	t.Helper()
	c := newClient(s)
	out, code := run(t, c, task, "sh", "-c", "head -c 10485760 /dev/urandom >/tmp/random; sha256sum /tmp/random")
	sum, _, _ := strings.Cut(out, " ")
	if code != 0 || len(sum) != 64 {
		t.Fatalf("got %q and code %d", out, code)
	}
	cmd := awsExec(s, plugins, task, "sh -c 'stty raw; echo BEGIN; cat /tmp/random; touch /tmp/written; echo END'")
	stdout := must[io.ReadCloser](t)(cmd.StdoutPipe())
	stdin := must[io.WriteCloser](t)(cmd.StdinPipe()) // its end would be the plugin's
	defer stdin.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 64<<10)
	must[int](t)(io.ReadFull(stdout, head))
	// What is under way is bounded, however long nobody reads.
	if _, code := run(t, c, task, "test", "-e", "/tmp/written"); code != 1 {
		t.Error("the command did not wait for its reader")
	}
	rest := must[[]byte](t)(io.ReadAll(stdout))
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	_, data, begun := bytes.Cut(slices.Concat(head, rest), []byte("BEGIN\n"))
	end := bytes.LastIndex(data, []byte("END\n"))
	if !begun || end != 10<<20 {
		t.Fatalf("got %d bytes with an end at %d, want 10 MiB", len(data), end)
	}
	check := exec.Command("sha256sum")
	check.Stdin = bytes.NewReader(data[:end])
	if got := must[[]byte](t)(check.Output()); !strings.HasPrefix(string(got), sum) {
		t.Errorf("got sum %s, want %s", got, sum)
	}
}

// target asks for a session.
func target(ctx context.Context, c *client, task string, args ...string) (sessions.Target, error) {
	out, err := c.ecs.ExecuteCommand(ctx, &ecs.ExecuteCommandInput{Task: &task, Container: aws.String("app"), Command: aws.String(session.Join(args)), Interactive: true})
	if err != nil {
		return sessions.Target{}, err
	}
	return sessions.Target{URL: *out.Session.StreamUrl, Token: *out.Session.TokenValue}, nil
}

// run runs a command in a task without a terminal.
func run(t *testing.T, c *client, task string, args ...string) (output string, code int) {
	t.Helper()
	var out, errs syncBuffer
	code, err := sessions.Run(t.Context(), must[sessions.Target](t)(target(t.Context(), c, task, args...)), sessions.Streams{Out: &out, Err: &errs})
	if err != nil || errs.String() != "" {
		t.Fatalf("run %q: %v\n%s", args, err, errs.String())
	}
	return out.String(), code
}

// opened counts the open files of processes, and apart from them the sockets:
// this test's own idle connections to the server come and go.
func opened(t *testing.T, pids ...int) (files, sockets int) {
	t.Helper()
	for _, pid := range pids {
		for _, f := range must[[]string](t)(filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))) {
			if to, err := os.Readlink(f); err == nil && strings.HasPrefix(to, "socket:") {
				sockets++
			} else if err == nil {
				files++
			}
		}
	}
	return files, sockets
}

// usedSupervisorKiB bounds a supervisor that has run many commands at once.
const usedSupervisorKiB = 5 << 10

// TestHundredExecSessionsAreCut cuts a hundred sessions in the middle, whose
// commands want to go on: nothing of them stays, in the task or in the server.
func TestHundredExecSessionsAreCut(t *testing.T) {
	s := serve(t, t.TempDir())
	s.awaitProgram()
	c := newClient(s)
	task := c.runShell(taskRole(s))
	defer c.endTask(s, task)
	run(t, c, task, "true") // whatever is made once is there now
	pids := append(s.supervisors(), s.cmd.Process.Pid)
	before := anonymousKiB(t, s.supervisors()[0])
	files, sockets := opened(t, pids...)
	const each = 20 // as many as there may be in a container
	for round := range 5 {
		ctx, cut := context.WithCancel(t.Context())
		var all sync.WaitGroup
		var outs [each]syncBuffer
		for i := range each {
			at := must[sessions.Target](t)(target(ctx, c, task, "sh", "-c", "trap '' HUP TERM; sleep 5000 & setsid sleep 5000 & echo ready; while :; do sleep 5000; done"))
			all.Go(func() {
				streams := sessions.Streams{Out: &outs[i], Err: io.Discard}
				if _, err := sessions.Run(ctx, at, streams); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
		}
		for i := range each {
			eventually(t, 20*time.Second, "the commands to run", func() error {
				if outs[i].String() != "ready\n" {
					return fmt.Errorf("command %d of round %d says %q", i, round, outs[i].String())
				}
				return nil
			})
		}
		_, err := sessions.Run(t.Context(), must[sessions.Target](t)(target(t.Context(), c, task, "true")), sessions.Streams{Out: io.Discard, Err: io.Discard})
		if refused, ok := errors.AsType[*sessions.RefusedError](err); !ok || !strings.Contains(refused.Text, "20 commands run in container app") {
			t.Errorf("got %v of one session more", err)
		}
		cut()
		all.Wait()
		eventually(t, 20*time.Second, "the commands to end", func() error {
			out, code := "", 0
			at := must[sessions.Target](t)(target(t.Context(), c, task, "sh", "-c", "ps -o args | grep -c '[s]leep 5000'"))
			var said syncBuffer
			code, err := sessions.Run(t.Context(), at, sessions.Streams{Out: &said, Err: io.Discard})
			if out = said.String(); err != nil || out != "0\n" {
				return fmt.Errorf("code %d: %q processes: %w", code, out, err)
			}
			return nil
		})
	}
	eventually(t, 20*time.Second, "files to be closed", func() error {
		if f, n := opened(t, pids...); f > files || n > sockets+each {
			return fmt.Errorf("%d files and %d sockets are open, were %d and %d", f, n, files, sockets)
		}
		return nil
	})
	supervisor := s.supervisors()[0]
	eventually(t, 20*time.Second, "the supervisor to be small again", func() error {
		if now := anonymousKiB(t, supervisor); now > usedSupervisorKiB {
			return fmt.Errorf("it has %d KiB for itself, want at most %d", now, usedSupervisorKiB)
		}
		return nil
	})
	t.Logf("the supervisor has %d KiB for itself, had %d before", anonymousKiB(t, supervisor), before)
}
