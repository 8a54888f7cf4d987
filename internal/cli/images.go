package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"neargate/internal/app"
)

// images completes where images come from by the flags --registry-mirror and the
// environment.
func images(i app.Images, mirrors []string) (app.Images, error) {
	i.Mirrors = map[string][]string{}
	for _, m := range mirrors {
		host, url, ok := strings.Cut(m, "=")
		if !ok {
			return i, hinted{fmt.Errorf("--registry-mirror %q: want REGISTRY=URL", m), "for Docker Hub: --registry-mirror docker.io=https://mirror.example"}
		}
		i.Mirrors[host] = append(i.Mirrors[host], url)
	}
	i.Environ = os.Environ()
	i.DockerConfig = os.Getenv("DOCKER_CONFIG")
	if home := os.Getenv("HOME"); i.DockerConfig == "" && home != "" {
		i.DockerConfig = filepath.Join(home, ".docker")
	}
	return i, nil
}
