package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
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

// writeImage writes the image of all programs, one manifest for each.
func (r release) writeImage(file string, programs []program) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	a := archive{r, tar.NewWriter(f)}
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
	for _, p := range programs {
		m, err := a.addImage(p)
		if err != nil {
			return fmt.Errorf("write the image for %s: %w", p.arch, err)
		}
		index.Manifests = append(index.Manifests, m)
	}
	all, err := a.addJSON(v1.MediaTypeImageIndex, index)
	if err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	all.Annotations = map[string]string{v1.AnnotationRefName: r.version}
	index.Manifests = []v1.Descriptor{all}
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
			return fmt.Errorf("write the image: %w", err)
		}
	}
	if err := a.tw.Close(); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	return f.Close()
}

// addImage adds one program's layer, config and manifest.
func (a archive) addImage(p program) (v1.Descriptor, error) {
	exe, err := os.ReadFile(p.file)
	if err != nil {
		return v1.Descriptor{}, err
	}
	plain, err := a.layer(exe)
	if err != nil {
		return v1.Descriptor{}, err
	}
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	if _, err := zw.Write(plain); err != nil {
		return v1.Descriptor{}, err
	}
	if err := zw.Close(); err != nil {
		return v1.Descriptor{}, err
	}
	layer, err := a.addBlob(v1.MediaTypeImageLayerGzip, packed.Bytes())
	if err != nil {
		return v1.Descriptor{}, err
	}
	platform := v1.Platform{OS: "linux", Architecture: p.arch}
	config, err := a.addJSON(v1.MediaTypeImageConfig, v1.Image{
		Created: &a.r.when, Platform: platform,
		Config: v1.ImageConfig{
			Entrypoint: []string{"/usr/bin/neargate"}, Cmd: []string{"serve"}, WorkingDir: "/",
			Env:     []string{"PATH=/usr/bin"},
			Volumes: map[string]struct{}{"/var/lib/neargate": {}}, // overlayfs cannot write to a container's own overlay
			Labels:  map[string]string{v1.AnnotationVersion: a.r.version, v1.AnnotationTitle: "neargate", v1.AnnotationLicenses: "Apache-2.0"},
		},
		RootFS:  v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(plain)}},
		History: []v1.History{{Created: &a.r.when, CreatedBy: "neargate/release"}},
	})
	if err != nil {
		return v1.Descriptor{}, err
	}
	m, err := a.addJSON(v1.MediaTypeImageManifest, v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest, Config: config, Layers: []v1.Descriptor{layer},
	})
	m.Platform = &platform
	return m, err
}

// layer is a tar of the program and the directories that it expects.
func (a archive) layer(exe []byte) ([]byte, error) {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, dir := range []string{"run/", "tmp/", "usr/", "usr/bin/", "var/", "var/lib/", "var/lib/neargate/"} {
		mode := int64(0o755)
		if dir == "tmp/" {
			mode = 0o1777
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
	return d, a.addFile(path.Join(v1.ImageBlobsDir, string(d.Digest.Algorithm()), d.Digest.Encoded()), data)
}

func (a archive) addFile(name string, data []byte) error {
	err := a.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data)), ModTime: a.r.when})
	if err != nil {
		return err
	}
	_, err = io.Copy(a.tw, bytes.NewReader(data))
	return err
}
