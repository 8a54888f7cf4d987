package registry

import (
	"cmp"
	"runtime"

	"neargate/internal/model"
)

// platform is what an image's programs are to run on: this system, on one
// architecture.
type platform struct{ architecture string }

// platformOf returns the platform of an architecture; "" is this machine's.
func platformOf(a model.Architecture) platform {
	return platform{cmp.Or(string(a), runtime.GOARCH)}
}

// architectures are those whose images are kept: "" is this machine's, which goes
// first.
func architectures() []model.Architecture {
	return []model.Architecture{"", model.AMD64, model.ARM64}
}

// foreign returns the platform's architecture where it is not this machine's.
func (p platform) foreign() model.Architecture {
	if p.architecture == runtime.GOARCH {
		return ""
	}
	return model.Architecture(p.architecture)
}

// runs reports whether a program for a system and an architecture runs on the
// platform; what is not named is taken for it.
func (p platform) runs(system, architecture string) bool {
	return (system == "" || system == runtime.GOOS) && (architecture == "" || architecture == p.architecture)
}

// none is ECS's error for an image that is for other platforms.
func (p platform) none(found string) error {
	return model.Errorf(model.Invalid, "CannotPullContainerError",
		"pull image manifest has been retried 1 time(s): image Manifest does not contain descriptor matching platform '%s/%s'%s",
		runtime.GOOS, p.architecture, found)
}
