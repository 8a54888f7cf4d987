package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"cuelabs.dev/go/oci/ociregistry/ociauth"

	"neargate/internal/model"
)

// helperLimit bounds a credential helper, and what it prints.
const (
	helperLimit    = 15 * time.Second
	maxHelperBytes = 64 << 10
)

// keyring has the credential of one registry. Hosts that the registry redirects
// to get none.
type keyring struct {
	client   *Client
	server   string // HOST:PORT that requests go to
	registry string // as references name it
	cred     *model.Credential
}

// EntryForRegistry returns the credential for requests to a host.
func (k keyring) EntryForRegistry(host string) (ociauth.ConfigEntry, error) {
	if host != k.server {
		return ociauth.ConfigEntry{}, nil
	}
	if k.cred != nil {
		return ociauth.ConfigEntry{Username: k.cred.Username, Password: k.cred.Password}, nil
	}
	cfg := k.client.cfg
	if cfg.DockerConfig == "" {
		return ociauth.ConfigEntry{}, nil
	}
	file, err := ociauth.LoadWithEnv(runHelper(cfg.Environ), []string{"DOCKER_CONFIG=" + cfg.DockerConfig})
	if err != nil {
		return ociauth.ConfigEntry{}, err
	}
	names := []string{k.registry}
	if k.registry == Hub { // as docker login writes it, and as people do
		names = []string{"https://index.docker.io/v1/", "index.docker.io", Hub}
	}
	for _, name := range names {
		entry, err := file.EntryForRegistry(name)
		if err != nil || entry != (ociauth.ConfigEntry{}) {
			return entry, err
		}
	}
	return ociauth.ConfigEntry{}, nil
}

// runHelper runs Docker's credential helpers: docker-credential-NAME get, with
// the registry on its standard input.
func runHelper(environ []string) ociauth.HelperRunner {
	return func(name, server string) (ociauth.ConfigEntry, error) {
		program, err := exec.LookPath("docker-credential-" + name)
		if err != nil {
			return ociauth.ConfigEntry{}, fmt.Errorf("%w: docker-credential-%s is not installed on the server", ociauth.ErrHelperNotFound, name)
		}
		ctx, cancel := context.WithTimeout(context.Background(), helperLimit)
		defer cancel()
		out := &limited{max: maxHelperBytes}
		cmd := exec.CommandContext(ctx, program, "get")
		cmd.Stdin, cmd.Stdout, cmd.Env, cmd.WaitDelay = strings.NewReader(server), out, environ, time.Second
		if err := cmd.Run(); err != nil {
			if strings.Contains(strings.ToLower(out.buf.String()), "credentials not found") {
				return ociauth.ConfigEntry{}, nil
			}
			return ociauth.ConfigEntry{}, fmt.Errorf("docker-credential-%s: %w", name, err)
		}
		var said struct{ Username, Secret string }
		if err := json.Unmarshal(out.buf.Bytes(), &said); err != nil {
			return ociauth.ConfigEntry{}, fmt.Errorf("docker-credential-%s: its answer cannot be read", name)
		}
		if said.Username == "<token>" {
			return ociauth.ConfigEntry{RefreshToken: said.Secret}, nil
		}
		return ociauth.ConfigEntry{Username: said.Username, Password: said.Secret}, nil
	}
}

// limited keeps the beginning of what is written to it.
type limited struct {
	buf bytes.Buffer
	max int
}

// Write never fails.
func (l *limited) Write(p []byte) (int, error) {
	l.buf.Write(p[:min(len(p), l.max-l.buf.Len())])
	return len(p), nil
}
