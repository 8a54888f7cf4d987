package registry

import (
	"context"
	"fmt"

	"neargate/internal/model"
)

// Image returns the image that ref, a tag or a digest, names in a repository.
// Codes: RepositoryNotFoundException, ImageNotFoundException.
func (r *Registry) Image(repo, ref string) (model.Image, error) {
	if _, err := r.Repository(repo); err != nil {
		return model.Image{}, err
	}
	d := ref
	if checkDigest(ref) != nil {
		t, ok := r.tags.Get(repo + ":" + ref)
		if !ok {
			return model.Image{}, r.noImage(repo, "null", ref)
		}
		d = t.Digest
	}
	img, ok := r.images.Get(repo + "@" + d)
	if !ok {
		return model.Image{}, r.noImage(repo, d, "null")
	}
	return r.withTags(img), nil
}

// Images returns the images of a repository, by digest. Code:
// RepositoryNotFoundException.
func (r *Registry) Images(repo string) ([]model.Image, error) {
	if _, err := r.Repository(repo); err != nil {
		return nil, err
	}
	tags := map[string][]string{}
	for _, t := range r.tags.List(repo + ":") {
		tags[t.Digest] = append(tags[t.Digest], t.Name)
	}
	var out []model.Image
	for _, img := range r.images.List(repo + "@") {
		img.Tags = tags[img.Digest]
		out = append(out, img.Image)
	}
	return out, nil
}

func (r *Registry) withTags(img image) model.Image {
	for _, t := range r.tags.List(img.Repository + ":") {
		if t.Digest == img.Digest {
			img.Tags = append(img.Tags, t.Name)
		}
	}
	return img.Image
}

func (r *Registry) noImage(repo, d, tagName string) error {
	return model.Errorf(model.NotFound, "ImageNotFoundException",
		"The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
		d, tagName, repo, r.cfg.Place.Account)
}

// DeleteImage removes what ref names: a tag, and with an image's last tag the
// image; or by digest an image with all its tags. It returns the image as it
// was, with the tags that are gone. Tasks that run the image keep running.
// Codes: RepositoryNotFoundException, ImageNotFoundException,
// ImageReferencedByManifestList.
func (r *Registry) DeleteImage(ctx context.Context, repo, ref string) (model.Image, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	img, err := r.Image(repo, ref)
	if err != nil {
		return model.Image{}, err
	}
	byTag := checkDigest(ref) != nil
	last := !byTag || len(img.Tags) == 1
	if index, ok := r.childOf(repo, img.Digest); ok && last {
		if !byTag {
			return model.Image{}, model.Errorf(model.Conflict, "ImageReferencedByManifestList",
				"Requested image referenced by manifest list: [%s]", index)
		}
		last = false // the index still needs it
	}
	if byTag {
		img.Tags = []string{ref}
	}
	for _, t := range img.Tags {
		if _, err := r.tags.Delete(ctx, repo+":"+t); err != nil {
			return model.Image{}, fmt.Errorf("delete tag %s:%s: %w", repo, t, err)
		}
	}
	if !last {
		return img, nil
	}
	return img, r.dropImageLocked(ctx, repo, img.Digest)
}

// dropImageLocked removes an untagged image, and from the repository the blobs
// that only it used.
func (r *Registry) dropImageLocked(ctx context.Context, repo, d string) error {
	img, _ := r.images.Get(repo + "@" + d)
	if _, err := r.images.Delete(ctx, repo+"@"+d); err != nil {
		return fmt.Errorf("delete image %s@%s: %w", repo, d, err)
	}
	used := r.usedBlobs(repo)
	for _, b := range img.Blobs {
		if used[b] {
			continue
		}
		if _, err := r.links.Delete(ctx, repo+"@"+b); err != nil {
			return fmt.Errorf("delete image %s@%s: %w", repo, d, err)
		}
	}
	r.askCollect()
	return nil
}

// usedBlobs are the blobs that the images of a repository refer to.
func (r *Registry) usedBlobs(repo string) map[string]bool {
	used := map[string]bool{}
	for _, img := range r.images.List(repo + "@") {
		for _, b := range img.Blobs {
			used[b] = true
		}
	}
	return used
}

// deleteBlob takes a blob out of a repository, unless an image there needs it.
func (r *Registry) deleteBlob(ctx context.Context, repo, d string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.hasBlob(repo, d); err != nil {
		return err
	}
	if r.usedBlobs(repo)[d] {
		return errDenied("an image of the repository refers to this blob")
	}
	if _, err := r.links.Delete(ctx, repo+"@"+d); err != nil {
		return fmt.Errorf("delete blob %s@%s: %w", repo, d, err)
	}
	r.askCollect()
	return nil
}

// digestsInUse are the digests of all images of all repositories, and of those
// pulled from other registries.
func (r *Registry) digestsInUse() map[string]bool {
	used := map[string]bool{}
	for _, img := range r.images.List("") {
		used[img.Digest] = true
	}
	for _, p := range r.pulled.List("") {
		used[p.Digest] = true
	}
	return used
}
