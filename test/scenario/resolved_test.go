package scenario_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// systemdResolved returns the daemon's program: this machine's, or that of its
// package, which is not installed for it: that would change /etc/resolv.conf.
func systemdResolved(t *testing.T) string {
	t.Helper()
	const path = "lib/systemd/systemd-resolved"
	if _, err := os.Stat("/" + path); err == nil {
		return "/" + path
	}
	dir := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `cd "$0" && apt-get download systemd-resolved && dpkg-deb -x systemd-resolved_*.deb .`, dir).CombinedOutput()
	if err != nil {
		t.Skipf("needs systemd-resolved, or Debian's package of it: %v\n%s", err, out)
	}
	return filepath.Join(dir, path)
}

// TestSystemdResolvedAsksTheServer: the real daemon, on a machine of its own whose
// link has a name server, asks the server about its names and nobody else. Where it
// has name servers of no link it would not, so that is refused.
func TestSystemdResolvedAsksTheServer(t *testing.T) {
	daemon := systemdResolved(t)
	for _, name := range []string{"unshare", "ip", "python3", "mount"} {
		machineProgram(t, name)
	}
	const before = `before example.test unknown
before gone.example.test unknown
before neargate.internal unknown
before www.example.org 192.0.2.80
`
	after := strings.ReplaceAll(before, "before", "after") + "left resolved.conf\n"
	for _, row := range []struct{ name, conf, want string }{
		{"by link", "", before + `/etc/systemd/resolved.conf.d/neargate.conf has systemd-resolved ask 127.53.0.9 about ~neargate.internal ~example.test
nothing to do: programs of this machine ask 127.53.0.9:53
installed example.test 127.0.0.1
installed gone.example.test unknown
installed neargate.internal 127.0.0.1
installed www.example.org 192.0.2.80
stopped example.test unanswered
stopped gone.example.test unanswered
stopped neargate.internal unanswered
stopped www.example.org 192.0.2.80
/etc/systemd/resolved.conf.d/neargate.conf is gone
` + after},
		{"of no link", "DNS=192.0.2.53", before + strings.Repeat(`neargate: systemd-resolved has name servers of no link, which it would ask about the server's names too: 192.0.2.53
hint: give them to the link instead of resolved.conf: DNS= in its .network file, or nmcli connection modify NAME ipv4.dns ADDRESS
`, 2) + strings.ReplaceAll(before, "before", "installed") + strings.ReplaceAll(before, "before", "stopped") + `asked example.test
asked gone.example.test
asked neargate.internal
nothing was installed
` + after},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), "unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
				"sh", "testdata/resolved/machine.sh", dir, daemon, row.conf)
			cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(neargate(t))+":"+os.Getenv("PATH"))
			out, err := cmd.Output()
			if got := string(out); err != nil || got != row.want {
				logs, _ := exec.Command("tail", "-n", "5", filepath.Join(dir, "serve.log"), filepath.Join(dir, "resolved.log")).CombinedOutput()
				t.Errorf("got %v\n%s\nwant\n%s\n%s", err, got, row.want, logs)
			}
		})
	}
}
