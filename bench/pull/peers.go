package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// distribution is a docker-registry that runs.
type distribution struct {
	host string
	cmd  *exec.Cmd
}

func startRegistry(ctx context.Context, dir string) (*distribution, error) {
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		return nil, errors.New("docker-registry is not installed")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &distribution{host: l.Addr().String()}
	config := "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: " + dir + "}}\nhttp: {addr: " + d.host + "}\n"
	file := filepath.Join(dir, "config.yml")
	if err := errors.Join(l.Close(), os.WriteFile(file, []byte(config), 0o600)); err != nil {
		return nil, err
	}
	d.cmd = exec.CommandContext(ctx, program, "serve", file)
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	for range 200 {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.host)
		if err == nil {
			return d, conn.Close()
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	d.stop()
	return nil, errors.New("docker-registry does not listen")
}

func (d *distribution) stop() {
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
}

// bySkopeo copies the image into a directory and unpacks its layers, the lowest
// first.
func bySkopeo(ctx context.Context, host, dir string) (time.Duration, error) {
	defer func() { _ = os.RemoveAll(dir) }()
	copied, rootfs := filepath.Join(dir, "copied"), filepath.Join(dir, "rootfs")
	if err := os.MkdirAll(rootfs, 0o700); err != nil {
		return 0, err
	}
	began := time.Now()
	copying := exec.CommandContext(ctx, "skopeo", "copy", "--quiet", "--src-tls-verify=false", "docker://"+host+"/bench/image:v1", "dir:"+copied)
	if said, err := copying.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("skopeo copy: %w: %s", err, said)
	}
	data, err := os.ReadFile(filepath.Join(copied, "manifest.json"))
	if err != nil {
		return 0, err
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return 0, err
	}
	for _, l := range m.Layers {
		blob := filepath.Join(copied, strings.TrimPrefix(l.Digest.String(), "sha256:"))
		if said, err := exec.CommandContext(ctx, "tar", "xzf", blob, "-C", rootfs).CombinedOutput(); err != nil {
			return 0, fmt.Errorf("tar x: %w: %s", err, said)
		}
	}
	return time.Since(began), nil
}
