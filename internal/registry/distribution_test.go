package registry

import (
	"encoding/base64"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cuelabs.dev/go/oci/ociregistry/ociclient"

	"neargate/internal/model"
)

// passwords has one user, me, with the password s3cret.
const passwords = "me:$2b$04$lENmD5xxnLVflDwjN9lvXuanIiQ6YGwxbZD.S.a2B5Gi9OTC8hbmW\n"

// distribution runs Debian's docker-registry, the reference implementation, and
// returns its HOST:PORT and a way to push to it.
func distribution(t *testing.T) (host string, at *fixture) {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("needs docker-registry: apt-get install docker-registry")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host = l.Addr().String()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"htpasswd": passwords,
		"config.yml": "version: 0.1\nlog: {accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: " + dir + "/data}}\n" +
			"http: {addr: " + host + "}\nauth: {htpasswd: {realm: test, path: " + dir + "/htpasswd}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "serve", filepath.Join(dir, "config.yml"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := net.Dial("tcp", host); err == nil {
			_ = conn.Close()
			break
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("docker-registry does not listen")
		}
	}
	oci, err := ociclient.New(host, &ociclient.Options{Insecure: true, Transport: basicAuth{"me", "s3cret", tr}})
	if err != nil {
		t.Fatal(err)
	}
	return host, &fixture{oci: oci}
}

// loggedIn makes a directory with a config.json as docker login leaves it.
func loggedIn(t *testing.T, host string) string {
	t.Helper()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("me:s3cret"))
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"auths":{"`+host+`":{"auth":"`+auth+`"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestPullFromDistribution(t *testing.T) {
	needsRoot(t)
	host, there := distribution(t)
	layers := []blob{gzipped(t, entries(t, file("base", "b"))), zstandard(t, entries(t, file("middle", "m"))), gzipped(t, entries(t, file("a", "1")))}
	want := there.pushImage(t, "library/nginx", "1.27", layers, nil).Digest.String()
	pull := func(name string, cred *model.Credential, set func(*Config), ref string) {
		t.Run(name, func(t *testing.T) {
			here := newFixture(t)
			here.set = set
			here.reopen(t)
			got, err := here.Resolve(t.Context(), ref, cred, "")
			if err != nil || got != want {
				t.Fatalf("Resolve = %s, %v, want %s", got, err, want)
			}
			if got := here.contentOf(t, ref, cred, "a"); got != "1" {
				t.Errorf("the image holds %q", got)
			}
		})
	}
	nothing := func(*Config) {}
	login := func(c *Config) { c.Remote.DockerConfig = loggedIn(t, host) }
	mirror := func(c *Config) {
		login(c)
		c.Remote.Mirrors = map[string][]string{"docker.io": {"http://127.0.0.1:1", "http://" + host}}
	}
	pull("by the task's credential", &model.Credential{Username: "me", Password: "s3cret"}, nothing, host+"/library/nginx:1.27")
	pull("by Docker's configuration", nil, login, host+"/library/nginx:1.27")
	pull("Docker Hub's by a mirror", nil, mirror, "nginx:1.27")
	pull("Docker Hub's by its whole name", nil, mirror, "docker.io/library/nginx:1.27@"+want)

	here := newFixture(t)
	for _, cred := range []*model.Credential{nil, {Username: "me", Password: "wr0ng"}} {
		_, err := here.Resolve(t.Context(), host+"/library/nginx:1.27", cred, "")
		if err == nil || !strings.Contains(err.Error(), "pull access denied, repository does not exist or may require authorization") || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("Resolve without the password = %v", err)
		}
	}
}
