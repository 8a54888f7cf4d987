package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// archive writes an image layout as a tar: blobs by their digests, and an index.
type archive struct {
	r  release
	tw *tar.Writer
}

// added is an image in the archive.
type added struct{ manifest, config, layer v1.Descriptor }

// writeImage writes the image of all programs, one manifest for each.
func (r release) writeImage(file string, programs []program) error {
	return r.writeArchive(file, func(a archive) error {
		index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
		for _, p := range programs {
			image, err := a.addImage(p)
			if err != nil {
				return fmt.Errorf("for %s: %w", p.arch, err)
			}
			index.Manifests = append(index.Manifests, image.manifest)
		}
		all, err := a.addJSON(v1.MediaTypeImageIndex, index)
		if err != nil {
			return err
		}
		return a.addIndex(all, map[string]string{v1.AnnotationRefName: r.version})
	})
}

// writeDockerImage writes the image of one program as "docker load" takes it: a
// layout of the same kind, with the list of its images by which engines before
// Docker 25 find them. It is loaded as neargate:latest.
func (r release) writeDockerImage(file string, p program) error {
	const name = "neargate:latest"
	return r.writeArchive(file, func(a archive) error {
		image, err := a.addImage(p)
		if err != nil {
			return err
		}
		// The one annotation is containerd's, the other one everybody's.
		if err := a.addIndex(image.manifest, map[string]string{"io.containerd.image.name": "docker.io/library/" + name, v1.AnnotationRefName: "latest"}); err != nil {
			return err
		}
		list, err := json.Marshal([]dockerImage{{Config: blobPath(image.config), RepoTags: []string{name}, Layers: []string{blobPath(image.layer)}}})
		if err != nil {
			return err
		}
		return a.addFile("manifest.json", list)
	})
}

// dockerImage is an image in manifest.json [Docker image specification v1.2].
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// writeArchive writes a file that fill fills.
func (r release) writeArchive(file string, fill func(archive) error) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	a := archive{r, tar.NewWriter(f)}
	if err := errors.Join(fill(a), a.tw.Close()); err != nil {
		return fmt.Errorf("write the image %s: %w", file, err)
	}
	return f.Close()
}

// addIndex adds the files by which an image is found.
func (a archive) addIndex(image v1.Descriptor, annotations map[string]string) error {
	image.Annotations = annotations
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{image}}
	for _, file := range []struct {
		name    string
		content any
	}{
		{v1.ImageIndexFile, index},
		{v1.ImageLayoutFile, v1.ImageLayout{Version: v1.ImageLayoutVersion}},
	} {
		data, err := json.Marshal(file.content)
		if err == nil {
			err = a.addFile(file.name, data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// serveInside is the command line of a server in a container; what docker run is
// given follows it, and replaces what it repeats. Who reaches the published ports
// is up to those who publish them: without --tls, on the host's loopback alone.
// By Docker's bridge its clients come from the gateway, on Docker Desktop from a
// network of that. Its tasks end with the container, also where that has an init
// process of its own: within the 10 s that the container has by default, they are
// stopped.
func serveInside() []string {
	return []string{
		"/usr/bin/neargate", "serve", "--listen", "0.0.0.0:4566", "--advertise", "localhost:4566", "--insecure",
		"--public", "0.0.0.0", "--local-clients", "gateway,192.168.65.0/24", "--stop-tasks", "7s",
	}
}

// addImage adds one program's layer, config and manifest.
func (a archive) addImage(p program) (added, error) {
	exe, err := os.ReadFile(p.file)
	if err != nil {
		return added{}, err
	}
	plain, err := a.layer(exe)
	if err != nil {
		return added{}, err
	}
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	if _, err := zw.Write(plain); err != nil {
		return added{}, err
	}
	if err := zw.Close(); err != nil {
		return added{}, err
	}
	layer, err := a.addBlob(v1.MediaTypeImageLayerGzip, packed.Bytes())
	if err != nil {
		return added{}, err
	}
	platform := v1.Platform{OS: "linux", Architecture: p.arch}
	config, err := a.addJSON(v1.MediaTypeImageConfig, v1.Image{
		Created: &a.r.when, Platform: platform,
		Config: v1.ImageConfig{
			Entrypoint: serveInside(), WorkingDir: "/", Env: []string{"PATH=/usr/bin"},
			ExposedPorts: map[string]struct{}{"4566/tcp": {}},
			// Overlayfs cannot write to a container's own overlay. The demo keeps its data in /tmp.
			Volumes: map[string]struct{}{"/var/lib/neargate": {}, "/tmp": {}},
			Labels:  map[string]string{v1.AnnotationVersion: a.r.version, v1.AnnotationTitle: "neargate", v1.AnnotationLicenses: "Apache-2.0"},
		},
		RootFS:  v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(plain)}},
		History: []v1.History{{Created: &a.r.when, CreatedBy: "neargate/release"}},
	})
	if err != nil {
		return added{}, err
	}
	m, err := a.addJSON(v1.MediaTypeImageManifest, v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest, Config: config, Layers: []v1.Descriptor{layer},
	})
	m.Platform = &platform
	return added{manifest: m, config: config, layer: layer}, err
}

// layer is a tar of the program and the directories that it expects.
func (a archive) layer(exe []byte) ([]byte, error) {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, dir := range []string{"run/", "tmp/", "usr/", "usr/bin/", "var/", "var/lib/", "var/lib/neargate/"} {
		mode := int64(0o755)
		switch dir {
		case "tmp/":
			mode = 0o1777
		case "var/lib/neargate/": // a new volume takes this over
			mode = 0o700
		}
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: mode, ModTime: a.r.when}); err != nil {
			return nil, err
		}
	}
	if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "usr/bin/neargate", Mode: 0o755, Size: int64(len(exe)), ModTime: a.r.when}); err != nil {
		return nil, err
	}
	if _, err := tw.Write(exe); err != nil {
		return nil, err
	}
	err := tw.Close()
	return b.Bytes(), err
}

func (a archive) addJSON(mediaType string, v any) (v1.Descriptor, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return v1.Descriptor{}, err
	}
	return a.addBlob(mediaType, data)
}

func (a archive) addBlob(mediaType string, data []byte) (v1.Descriptor, error) {
	d := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	return d, a.addFile(blobPath(d), data)
}

func blobPath(d v1.Descriptor) string {
	return path.Join(v1.ImageBlobsDir, string(d.Digest.Algorithm()), d.Digest.Encoded())
}

func (a archive) addFile(name string, data []byte) error {
	err := a.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data)), ModTime: a.r.when})
	if err != nil {
		return err
	}
	_, err = io.Copy(a.tw, bytes.NewReader(data))
	return err
}
