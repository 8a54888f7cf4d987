package scheduler

import (
	"context"

	"neargate/internal/model"
	"neargate/internal/runtime"
)

// resolution is the look for the images of a deployment, which its first tasks
// wait for. One deployment runs one image digest for each container, whatever
// its tags name later (Amazon ECS developer guide, deployment-container-image-stability).
type resolution struct {
	done    chan struct{}
	digests map[string]string // by container; readable after done
	err     error             // readable after done
}

// resolve finds out what the images of def name now. Containers that share an
// image share its digest.
func (c carrier) resolve(ctx context.Context, def model.TaskDefinition) (map[string]string, error) {
	byImage, digests := map[string]string{}, map[string]string{}
	for _, one := range def.Containers {
		if one.LooseVersion {
			continue
		}
		digest, known := byImage[one.Image]
		if !known {
			cred, err := c.prepare.Credential(ctx, one)
			if err != nil {
				return nil, err
			}
			if digest, err = c.engine.Resolve(ctx, runtime.Image{Reference: one.Image, Credential: cred, Architecture: def.Architecture}); err != nil {
				return nil, &runtime.ContainerError{Container: one.Name, Err: err}
			}
			byImage[one.Image] = digest
		}
		digests[one.Name] = digest
	}
	return digests, nil
}

// wait returns the digests when they are there.
func (r *resolution) wait(ctx context.Context) (map[string]string, error) {
	select {
	case <-r.done:
		return r.digests, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// runDigests returns the digests that tasks of a deployment run, once all of
// the definition's are known: the deployment may be older than the record of
// its images.
func runDigests(def model.TaskDefinition, deployment string, entries map[string]*entry) map[string]string {
	for _, e := range entries {
		if e.Record.DeploymentID != deployment {
			continue
		}
		digests := map[string]string{}
		for _, c := range e.Record.Containers {
			if c.ImageDigest != "" {
				digests[c.Name] = c.ImageDigest
			}
		}
		if len(digests) == len(def.Containers) {
			return digests
		}
	}
	return nil
}
