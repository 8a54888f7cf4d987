package app

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"neargate/internal/model"
	"neargate/internal/registry"
	"neargate/internal/registry/remote"
)

// Images is where images come from besides the server's own registry.
type Images struct {
	// Mirrors are the base URLs to be asked before a registry, by its host.
	Mirrors map[string][]string
	// DockerConfig is the directory of Docker's config.json, whose credentials open
	// registries; "": none do.
	DockerConfig string
	// Environ is the environment of Docker's credential helpers.
	Environ []string
	// CacheGiB is how much disk they may take while they are not in use.
	CacheGiB int
}

// maxCacheGiB is as good as no limit.
const maxCacheGiB = 1 << 20

func (i Images) check() error {
	var errs []error
	for _, host := range slices.Sorted(maps.Keys(i.Mirrors)) {
		ref, err := remote.Parse(host + "/name")
		if err != nil || ref.Host != host {
			errs = append(errs, fmt.Errorf("registry-mirror %q: want a registry's host, such as docker.io", host))
		}
		for _, m := range i.Mirrors[host] {
			if err := remote.CheckMirror(m); err != nil {
				errs = append(errs, fmt.Errorf("registry-mirror %s: %w", host, err))
			}
		}
	}
	if i.CacheGiB < 1 || i.CacheGiB > maxCacheGiB {
		errs = append(errs, fmt.Errorf("image-cache %d: want 1 to %d GiB", i.CacheGiB, maxCacheGiB))
	}
	return errors.Join(errs...)
}

// pulls completes the registry's configuration with what is pulled, and how.
func (p *parts) pulls(cfg registry.Config) registry.Config {
	i := p.cfg.Images
	cfg.Remote = remote.Config{Mirrors: i.Mirrors, DockerConfig: i.DockerConfig, Environ: i.Environ}
	cfg.MaxPulledBytes = int64(i.CacheGiB) << 30
	cfg.Named = p.namedImages
	return cfg
}

// namedImages are the digests that services run or would go back to.
func (p *parts) namedImages() map[string]bool {
	named := map[string]bool{}
	add := func(images map[string]string) {
		for _, digest := range images {
			named[digest] = true
		}
	}
	for _, svc := range p.ecs.AllServices() {
		if svc.Status == model.Inactive {
			continue
		}
		for _, d := range svc.Deployments {
			add(d.Images)
		}
		for _, rec := range p.ecs.ServiceDeployments(svc) {
			if rec.Status == model.DeploymentSuccessful { // the newest one
				add(rec.Images)
				break
			}
		}
	}
	return named
}
