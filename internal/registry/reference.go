package registry

import (
	"net"
	"strings"

	"neargate/internal/model"
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

// parseReference reads an image reference of this registry: with its ECR name
// in front, with a loopback address (of whatever port: the API's may differ
// from the one under which the image was named), or bare. Any other registry
// is refused: nothing is pulled from elsewhere.
func (r *Registry) parseReference(s string) (reference, error) {
	rest := s
	if host, after, ok := strings.Cut(s, "/"); ok && isHost(host) {
		if !r.isOurs(host) {
			return reference{}, model.Errorf(model.Invalid, "CannotPullContainerError",
				"image %s is in another registry: push it to a repository of this server (%s) and use its URI", s, r.cfg.Endpoint)
		}
		rest = after
	}
	out := reference{repo: rest, ref: "latest"}
	if name, d, ok := strings.Cut(rest, "@"); ok {
		if err := checkDigest(d); err != nil {
			return reference{}, badReference(s)
		}
		out = reference{repo: name, ref: d}
		if i := strings.LastIndexByte(name, ':'); i > 0 { // a digest outranks a tag
			out.repo = name[:i]
		}
	} else if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		out = reference{repo: rest[:i], ref: rest[i+1:]}
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

// isHost reports whether the first part of a reference names a registry, by
// Docker's rule.
func isHost(s string) bool {
	return s == "localhost" || strings.ContainsAny(s, ".:")
}

func (r *Registry) isOurs(host string) bool {
	if host == r.cfg.Endpoint || host == r.cfg.Place.RegistryHost() {
		return true
	}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}
