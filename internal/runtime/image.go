package runtime

import "neargate/internal/model"

// Image is an image as a task definition names it.
type Image struct {
	Reference  string            // as written by the user
	Digest     string            // of the manifest to run; "": what Reference names now
	Credential *model.Credential // for the registry; nil: none
}

// ImageOf returns the image of a container.
func ImageOf(c model.ContainerSpec) Image {
	return Image{Reference: c.Image, Digest: c.ImageDigest, Credential: c.Credential}
}
