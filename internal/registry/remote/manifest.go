package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"cuelabs.dev/go/oci/ociregistry/ociauth"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// accepted are the media types of manifests that are asked for.
const accepted = ocispec.MediaTypeImageIndex + ", " + ocispec.MediaTypeImageManifest +
	", application/vnd.docker.distribution.manifest.list.v2+json" +
	", application/vnd.docker.distribution.manifest.v2+json"

// Manifest is a manifest as a registry has it.
type Manifest struct {
	Data      []byte
	MediaType string
	Digest    string // of Data
}

// Manifest returns the manifest that a tag or a digest names. Errors are
// *model.Error in ECS's words, or the cause of ctx.
func (r *Repository) Manifest(ctx context.Context, ref string) (Manifest, error) {
	var m Manifest
	tries, err := r.client.cfg.Patience.attempt(ctx, func() error {
		return r.each(ctx, func(e *endpoint) (err error) {
			m, err = r.manifest(ctx, e, ref)
			return err
		})
	}, nil)
	if ctx.Err() != nil {
		return Manifest{}, context.Cause(ctx)
	}
	if err != nil {
		return Manifest{}, unresolved(r.nameOf(ref), tries, err)
	}
	return m, nil
}

// Digest returns what a registry says the digest of a tag's manifest is, without
// the manifest, which Docker Hub would count as a pull; "" where it does not say.
func (r *Repository) Digest(ctx context.Context, tag string) string {
	digest := ""
	err := r.each(ctx, func(e *endpoint) error {
		resp, err := r.ask(ctx, e, http.MethodHead, "manifests/"+tag, map[string]string{"Accept": accepted})
		if err != nil {
			return err
		}
		digest = resp.Header.Get("Docker-Content-Digest")
		return resp.Body.Close()
	})
	if err != nil {
		return "" // the manifest will fail in the same way, and be tried again
	}
	return digest
}

// nameOf is the full name of a tag or a digest of the repository.
func (r *Repository) nameOf(ref string) string {
	if strings.Contains(ref, ":") {
		return r.ref.Name() + "@" + ref
	}
	return r.ref.Name() + ":" + ref
}

// each asks the mirrors and then the registry itself, until one has an answer.
// The error is the registry's, and names what the mirrors answered.
func (r *Repository) each(ctx context.Context, ask func(*endpoint) error) error {
	var before []string
	for _, e := range r.endpoints {
		if r.skipped(e) {
			continue
		}
		err := ask(e)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if e.name == "" {
			return withMirrors(err, before)
		}
		before = append(before, fmt.Sprintf("mirror %s: %v", e.name, err))
		if _, answered := errors.AsType[*refusal](err); !answered {
			r.giveUp(e)
		}
	}
	return permanent(errors.New("no registry to ask"))
}

func withMirrors(err error, before []string) error {
	if len(before) == 0 {
		return err
	}
	return fmt.Errorf("%w (%s)", err, strings.Join(before, "; "))
}

func (r *Repository) skipped(e *endpoint) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.skip[e]
}

// giveUp leaves a mirror out of the rest of the pull.
func (r *Repository) giveUp(e *endpoint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skip[e] = true
}

// ask asks an endpoint for something of the repository. The answer is a success.
func (r *Repository) ask(ctx context.Context, e *endpoint, method, what string, header map[string]string) (*http.Response, error) {
	ctx = ociauth.ContextWithRequestInfo(ctx, ociauth.RequestInfo{RequiredScope: ociauth.NewScope(ociauth.ResourceScope{
		ResourceType: ociauth.TypeRepository, Resource: r.ref.Repository, Action: ociauth.ActionPull,
	})})
	var first string
	resp, err := r.client.do(e, r.ref.Repository+"/"+what, func(url string) (*http.Request, error) {
		first = url
		req, err := http.NewRequestWithContext(ctx, method, url, nil)
		if err != nil {
			return nil, permanent(err)
		}
		for k, v := range header {
			req.Header.Set(k, v)
		}
		return req, nil
	})
	if err != nil {
		return nil, asked(err, first)
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent && header["Range"] != "" {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, refused(resp)
}

func (r *Repository) manifest(ctx context.Context, e *endpoint, ref string) (Manifest, error) {
	resp, err := r.ask(ctx, e, http.MethodGet, "manifests/"+ref, map[string]string{"Accept": accepted})
	if err != nil {
		return Manifest{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxManifestBytes+1))
	if err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	if len(data) > maxManifestBytes {
		return Manifest{}, permanent(fmt.Errorf("the manifest is larger than %d bytes", maxManifestBytes))
	}
	m := Manifest{Data: data, Digest: digest.FromBytes(data).String()}
	m.MediaType, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if !slices.Contains(strings.Split(accepted, ", "), m.MediaType) {
		return Manifest{}, permanent(fmt.Errorf("unexpected media type %s for %s: not found",
			clean(cmp.Or(resp.Header.Get("Content-Type"), "(none)")), m.Digest))
	}
	return m, r.checkDigest(ref, m.Digest, resp.Header.Get("Docker-Content-Digest"))
}

// checkDigest refuses a manifest that is not the one that was asked for, or not
// the one that the registry says it is.
func (r *Repository) checkDigest(ref, got, claimed string) error {
	want := claimed
	if strings.Contains(ref, ":") {
		want = ref
	}
	if want != "" && want != got {
		return permanent(fmt.Errorf("unexpected commit digest %s, expected %s: failed precondition", got, clean(want)))
	}
	return nil
}
