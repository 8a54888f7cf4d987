package script_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"neargate/internal/app"
	"neargate/internal/runtime/local"
)

// distribution is where Debian installs its programs. Its AWS CLI and boto3
// are older than any other in use, which makes them the harder test.
const distribution = "/usr/bin"

// setup puts the distribution's programs first.
func setup(env *testscript.Env) error {
	bin, rest, _ := strings.Cut(env.Getenv("PATH"), ":") // bin has neargate
	env.Setenv("PATH", strings.Join([]string{bin, distribution, rest}, ":"))
	env.Setenv("NEWPATH", bin+":"+rest)
	env.Setenv("AWS_PAGER", "")
	modules, err := filepath.Abs("../../examples/modules")
	env.Setenv("MODULES", modules)
	return err
}

// commands are what the scripts can say besides testscript's own.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"misused": exits(2), "failed": exits(1),
		"ready": ready, "aws": awsCommand, "python": python, "until": until, "explained": untilExplained, "value": value, "port": port, "instance": instance, "gone": gone, "pastload": pastLoad,
	}
}

// exits gives a command that runs neargate, which must end with the code, say
// on stderr exactly what the pattern tells, and nothing on stdout:
// misused PATTERN [ARG…].
func exits(code int) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		err := ts.Exec("neargate", args[1:]...)
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok || exit.ExitCode() != code {
			ts.Fatalf("neargate %q: %v, want exit code %d", args[1:], err, code)
		}
		if out := ts.ReadFile("stdout"); out != "" {
			ts.Fatalf("neargate %q said on stdout: %s", args[1:], out)
		}
		want := regexp.MustCompile(`^` + args[0] + `$`)
		if said := ts.ReadFile("stderr"); !want.MatchString(said) {
			ts.Fatalf("neargate %q said:\n%swant %s", args[1:], said, want)
		}
	}
}

// condition answers [python:MODULE], whether a Python here has it; [aws2],
// whether the AWS CLI is of version 2; and [autoscaling:OPERATION], whether the
// one in NEWPATH, where the distribution's need not come first, knows an
// operation of Application Auto Scaling.
func condition(cond string) (bool, error) {
	if operation, ok := strings.CutPrefix(cond, "autoscaling:"); ok {
		out, _ := exec.Command("aws", "application-autoscaling", operation).CombinedOutput() // fails either way
		return strings.Contains(string(out), "arguments are required"), nil
	}
	if cond == "aws2" {
		out, err := exec.Command(awsCLI(), "--version").Output()
		return err == nil && strings.HasPrefix(string(out), "aws-cli/2"), nil
	}
	module, ok := strings.CutPrefix(cond, "python:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	return interpreter(module) != "", nil
}

// awsCLI is the AWS CLI that scripts call.
func awsCLI() string {
	if path, err := exec.LookPath(filepath.Join(distribution, "aws")); err == nil {
		return path
	}
	return "aws"
}

// interpreter finds a Python that has a module, the distribution's first.
func interpreter(module string) string {
	for _, dir := range append([]string{distribution}, filepath.SplitList(os.Getenv("PATH"))...) {
		out, err := exec.Command(filepath.Join(dir, "python3"), "-c", "import sys, "+module+"; print(sys.executable)").Output()
		if err == nil {
			return strings.TrimSpace(string(out))
		}
	}
	return ""
}

// python runs a script that needs a module: python MODULE FILE.
func python(ts *testscript.TestScript, _ bool, args []string) {
	if err := ts.Exec(interpreter(args[0]), "-W", "ignore", args[1]); err != nil {
		ts.Fatalf("%s: %v\n%s", args[1], err, ts.ReadFile("stderr"))
	}
}

// ready waits until the server on a data directory is ready, and points the
// script at it as `neargate env` says: ready DATA.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	ts.Defer(func() { stop(ts, ts.MkAbs(args[0])) })
	file := filepath.Join(ts.MkAbs(args[0]), app.AccessFile)
	eventually(ts, "the server to be ready", func() error {
		_, err := os.Stat(file)
		return err
	})
	ts.Check(ts.Exec("neargate", "env", "--data", args[0]))
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if name, val, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "="); ok && strings.HasPrefix(line, "export AWS_") {
			ts.Setenv(name, val)
		}
	}
}

// stop ends what a script that failed half way left running, and cleans up
// after its tasks, which run on.
func stop(ts *testscript.TestScript, data string) {
	for _, cmd := range ts.BackgroundCmds() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
	}
	limit := time.Now().Add(waitLimit)
	for {
		err := local.Cleanup(context.Background(), data) // refuses while the server runs
		if err == nil {
			return
		}
		if time.Now().After(limit) {
			ts.Logf("%v", err)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// awsCommand calls the AWS CLI, which may be too old to read AWS_ENDPOINT_URL:
// aws [FLAG…] SERVICE OPERATION [ARG…].
func awsCommand(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec("aws", append([]string{"--output", "text", "--endpoint-url", ts.Getenv("AWS_ENDPOINT_URL")}, args...)...)
	if err != nil && !neg {
		ts.Fatalf("aws: %v\n%s", err, ts.ReadFile("stderr"))
	}
	if err == nil && neg {
		ts.Fatalf("aws was to fail and did not")
	}
}

// until calls the AWS CLI until its answer matches: until PATTERN ARG….
func until(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(`(?m)` + args[0])
	eventually(ts, args[0], func() error {
		awsCommand(ts, false, args[1:])
		if out := ts.ReadFile("stdout"); !want.MatchString(out) {
			return errors.New(out)
		}
		return nil
	})
}

// untilExplained calls neargate until its answer matches: explained PATTERN ARG….
func untilExplained(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile(`(?m)` + args[0])
	eventually(ts, args[0], func() error {
		ts.Check(ts.Exec("neargate", args[1:]...))
		if out := ts.ReadFile("stdout"); !want.MatchString(out) {
			return errors.New(out)
		}
		return nil
	})
}

// value keeps what the last command said, by words: value NAME [NAME…].
func value(ts *testscript.TestScript, _ bool, args []string) {
	words := strings.Fields(ts.ReadFile("stdout"))
	if len(words) != len(args) {
		ts.Fatalf("%d values for %d names: %q", len(words), len(args), words)
	}
	for i, name := range args {
		ts.Setenv(name, words[i])
	}
}

// port finds a free TCP port: port NAME.
func port(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, number, err := net.SplitHostPort(l.Addr().String())
	ts.Check(errors.Join(err, l.Close()))
	ts.Setenv(args[0], number)
}

// instance gives what the server on a data directory is called on this
// machine: instance DATA NAME.
func instance(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob("/run/neargate/*/instance.json")
	ts.Check(err)
	data, err := json.Marshal(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), string(data)) {
			ts.Setenv(args[1], filepath.Base(filepath.Dir(f)))
			return
		}
	}
	ts.Fatalf("none of %v is of %s", files, data)
}

// gone looks for processes, mounts, bridges, control groups and files of an
// instance: gone ID.
func gone(ts *testscript.TestScript, _ bool, args []string) {
	id := args[0]
	eventually(ts, "everything of "+id+" to be gone", func() error {
		const sh = `pgrep -af "task-supervisor $1"; ip -br link | grep "ng-$1"; grep "neargate/$1" /proc/mounts; ` +
			`find /sys/fs/cgroup -path "*neargate*$1*" -type d; ls -d /run/neargate/$1 2>/dev/null`
		out, _ := exec.Command("sh", "-c", sh, "sh", id).Output() // fails when there is nothing, as it should
		if len(out) > 0 {
			return fmt.Errorf("left:\n%s", out)
		}
		return nil
	})
}

// waitLimit bounds each wait.
const waitLimit = 20 * time.Second

// eventually asks until there is no error, and fails with the last one.
func eventually(ts *testscript.TestScript, what string, ask func() error) {
	deadline := time.Now().Add(waitLimit)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("waited %v for %s: %v", waitLimit, what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
