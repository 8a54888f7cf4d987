package model

import (
	"strings"
	"time"
)

// Repository is an ECR repository.
type Repository struct {
	ARN, Name, URI string
	CreatedAt      time.Time
	TagMutability  string // MUTABLE or IMMUTABLE
	ScanOnPush     bool
	Tags           []Tag
	Policy         string    // the document of its policy, kept; or ""
	Lifecycle      string    // the document of its lifecycle policy, or ""
	LifecycleAt    time.Time // when that was put
	Preview        string    // the lifecycle policy that is previewed, or ""
}

// Image is one manifest in a repository.
type Image struct {
	Repository string
	Digest     string
	Tags       []string
	MediaType  string
	Size       int64 // compressed bytes of its layers and config
	PushedAt   time.Time
	PulledAt   time.Time // zero: never
}

// PinnedImage returns an image reference that names the manifest of a digest,
// wherever the tag in ref points.
func PinnedImage(ref, digest string) string {
	name, _, _ := strings.Cut(ref, "@")
	return name + "@" + digest
}
