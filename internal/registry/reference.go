package registry

import (
	"net"
	"strings"

	"neargate/internal/model"
	"neargate/internal/registry/remote"
)

// reference is an image reference cut into its parts.
type reference struct {
	repo string
	ref  string // tag or digest
}

// validTag checks a tag by the OCI distribution specification.
func validTag(s string) bool {
	for i := range len(s) {
		c := s[i]
		word := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
		if !word && (i == 0 || c != '.' && c != '-') {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// ours reads an image reference that may be of this registry: with its ECR name
// in front, with a host and port where it listens or has listened, or bare. A
// bare name is ours where there is such a repository, and Docker Hub's else. It
// reports whether the reference is ours.
func (r *Registry) ours(s string) (reference, bool, error) {
	rest, named := s, false
	if host, after, ok := strings.Cut(s, "/"); ok && remote.IsHost(host) {
		rest, named = after, true
		if !r.isOurs(host) && !r.wasOurs(host) {
			return reference{}, false, nil
		}
		if !r.isOurs(host) { // another may listen there today
			named = false
		}
	}
	ref, err := parseReference(rest)
	if err != nil {
		return reference{}, true, badReference(s)
	}
	if _, err := r.Repository(ref.repo); err != nil && !named {
		return reference{}, false, nil
	}
	return ref, true, nil
}

// parseReference reads NAME, NAME:TAG, NAME@DIGEST or NAME:TAG@DIGEST.
func parseReference(s string) (reference, error) {
	out := reference{repo: s, ref: "latest"}
	if name, d, ok := strings.Cut(s, "@"); ok {
		if err := checkDigest(d); err != nil {
			return reference{}, err
		}
		out = reference{repo: name, ref: d}
		if i := strings.LastIndexByte(name, ':'); i > 0 { // a digest outranks a tag
			out.repo = name[:i]
		}
	} else if i := strings.LastIndexByte(s, ':'); i >= 0 {
		out = reference{repo: s[:i], ref: s[i+1:]}
		if !validTag(out.ref) {
			return reference{}, badReference(s)
		}
	}
	if !validRepository(out.repo) {
		return reference{}, badReference(s)
	}
	return out, nil
}

func badReference(s string) error {
	return model.Errorf(model.Invalid, "CannotPullContainerError", "invalid reference format: %q", s)
}

// isOurs reports whether HOST or HOST:PORT is where clients reach this registry.
func (r *Registry) isOurs(host string) bool {
	if host == r.cfg.Endpoint || host == r.cfg.Place.RegistryHost() {
		return true
	}
	name, port, err := net.SplitHostPort(host)
	_, mine, _ := net.SplitHostPort(r.cfg.Endpoint)
	ip := net.ParseIP(name)
	return err == nil && port == mine && (name == "localhost" || ip != nil && ip.IsLoopback())
}

// wasOurs reports whether clients reached this registry there under an earlier
// process: task definitions still name images so.
func (r *Registry) wasOurs(host string) bool {
	_, ok := r.endpoints.Get(host)
	return ok
}
