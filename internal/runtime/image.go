package runtime

import "neargate/internal/model"

// Image is an image as a task definition names it.
type Image struct {
	Reference  string            // as written by the user
	Digest     string            // of the manifest to run; "": what Reference names now
	Credential *model.Credential // for the registry; nil: none
	// Architecture is whose image to take of those that Reference names; an image
	// for another one is refused. "": the machines' own.
	Architecture model.Architecture
}

// ImageOf returns the image of a container of a task.
func ImageOf(spec model.TaskSpec, c model.ContainerSpec) Image {
	return Image{Reference: c.Image, Digest: c.ImageDigest, Credential: c.Credential, Architecture: spec.Architecture}
}
