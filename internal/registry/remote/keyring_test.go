package remote

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelabs.dev/go/oci/ociregistry/ociauth"

	"neargate/internal/model"
)

// What docker login leaves opens registries, and a task's own credential goes
// before it.
func TestCredentialsOfDockersConfig(t *testing.T) {
	auth := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	helper := t.TempDir()
	script := "#!/bin/sh\nread server\ncase $server in\nhelped.test) echo '{\"Username\":\"h\",\"Secret\":\"helped\"}';;\ntoken.test) echo '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}';;\n*) echo 'credentials not found in native keychain'; exit 1;;\nesac\n"
	if err := os.WriteFile(filepath.Join(helper, "docker-credential-test"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", helper+":"+os.Getenv("PATH"))
	config := `{"auths":{"https://index.docker.io/v1/":{"auth":"` + auth("hub:h:ub") + `"},"ghcr.io":{"auth":"` + auth("me:gh") + `"},"127.0.0.1:5000":{"username":"plain","password":"text"}},
		"credHelpers":{"helped.test":"test","token.test":"test","unknown.test":"test","absent.test":"absent"}}`
	for _, row := range []struct {
		name, registry string
		cred           *model.Credential
		want           ociauth.ConfigEntry
		err            string
	}{
		{name: "Docker Hub", registry: Hub, want: ociauth.ConfigEntry{Username: "hub", Password: "h:ub"}},
		{name: "a host", registry: "ghcr.io", want: ociauth.ConfigEntry{Username: "me", Password: "gh"}},
		{name: "in plain text", registry: "127.0.0.1:5000", want: ociauth.ConfigEntry{Username: "plain", Password: "text"}},
		{name: "a host that has none", registry: "quay.io"},
		{name: "the task's own", registry: "ghcr.io", cred: &model.Credential{Username: "own", Password: "o"}, want: ociauth.ConfigEntry{Username: "own", Password: "o"}},
		{name: "a helper", registry: "helped.test", want: ociauth.ConfigEntry{Username: "h", Password: "helped"}},
		{name: "a helper's token", registry: "token.test", want: ociauth.ConfigEntry{RefreshToken: "refresh"}},
		{name: "a helper that knows nothing", registry: "unknown.test"},
		{name: "a helper that is not there", registry: "absent.test", err: "docker-credential-absent is not installed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := New(Config{DockerConfig: dirWith(t, config), Environ: os.Environ()})
			defer c.Close()
			ref, err := Parse(row.registry + "/name")
			if err != nil {
				t.Fatal(err)
			}
			keys := keyring{client: c, server: c.origin(ref.Host, nil).host, registry: ref.Host, cred: row.cred}
			got, err := keys.EntryForRegistry(keys.server)
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Errorf("error = %v, want %q", err, row.err)
				}
				return
			}
			if err != nil || got != row.want {
				t.Errorf("credential = %+v, %v, want %+v", got, err, row.want)
			}
			if got, err := keys.EntryForRegistry("cdn.test"); err != nil || got != (ociauth.ConfigEntry{}) {
				t.Errorf("where the registry redirects to gets %+v, %v", got, err)
			}
		})
	}
}

func dirWith(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
