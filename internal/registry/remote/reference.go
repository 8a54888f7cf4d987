package remote

import (
	"errors"
	"strings"

	"cuelabs.dev/go/oci/ociregistry/ociref"
	"github.com/opencontainers/go-digest"
)

// Hub is the registry of references without a host, as references name it.
const Hub = "docker.io"

// hubServer is where Hub is to be reached.
const hubServer = "registry-1.docker.io"

// Reference is the full name of an image: docker.io/library/nginx:latest for
// nginx.
type Reference struct {
	Host, Repository string
	Tag              string // "": none beside a digest
	Digest           string // "sha256:…"; "": what the tag names
}

// Parse reads an image reference by Docker's rules: the first part is a host
// when it has a dot or a colon or is localhost; without one the image is Docker
// Hub's, and there below library when it has one part.
func Parse(s string) (Reference, error) {
	host, rest := Hub, s
	if first, after, ok := strings.Cut(s, "/"); ok && IsHost(first) {
		host, rest = first, after
	}
	if host == "index.docker.io" || host == hubServer {
		host = Hub
	}
	p, err := ociref.ParseRelative(rest)
	if err != nil {
		return Reference{}, err
	}
	if p.Host != "" || !ociref.IsValidHost(host) && host != "localhost" {
		return Reference{}, errors.New("invalid host")
	}
	if p.Digest != "" && p.Digest.Algorithm() != digest.SHA256 {
		return Reference{}, errors.New("the digest is not a sha256 one")
	}
	ref := Reference{Host: host, Repository: p.Repository, Tag: p.Tag, Digest: string(p.Digest)}
	if host == Hub && !strings.Contains(ref.Repository, "/") {
		ref.Repository = "library/" + ref.Repository
	}
	if ref.Tag == "" && ref.Digest == "" {
		ref.Tag = "latest"
	}
	return ref, nil
}

// IsHost reports whether the first part of a reference names a registry, by
// Docker's rule.
func IsHost(s string) bool {
	return s == "localhost" || strings.ContainsAny(s, ".:")
}

// Name is the reference without tag and digest.
func (r Reference) Name() string { return r.Host + "/" + r.Repository }

// Tagged is the reference without its digest; "" where it has no tag.
func (r Reference) Tagged() string {
	if r.Tag == "" {
		return ""
	}
	return r.Name() + ":" + r.Tag
}

// String is the whole of it.
func (r Reference) String() string {
	s := r.Name()
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}
