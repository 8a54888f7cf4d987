package registry

import (
	"archive/tar"
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// BenchmarkFirstPull is the unpacking of an image that was just pushed: a base
// of 3,000 files, a layer with one program of 32 MiB, and four small layers.
func BenchmarkFirstPull(b *testing.B) {
	needsRoot(b)
	random := rand.New(rand.NewPCG(1, 2))
	text := func(n int) []byte { // compresses as programs do, by half
		out := make([]byte, n)
		for i := range out {
			out[i] = byte(random.IntN(16))
		}
		return out
	}
	var base []tar.Header
	for i := range 3000 {
		if i%20 == 0 {
			base = append(base, dir(fmt.Sprintf("usr/lib/d%d", i/20), 0o755))
		}
		base = append(base, file(fmt.Sprintf("usr/lib/d%d/f%d", i/20, i), string(text(4000))))
	}
	layers := []blob{gzipped(b, entries(b, base...)), gzipped(b, entries(b, file("app", string(text(32<<20)))))}
	for i := range 4 {
		layers = append(layers, gzipped(b, entries(b, file(fmt.Sprintf("etc/conf%d", i), "x"))))
	}
	f := newFixture(b)
	f.cfg.MaxBlobBytes, f.cfg.MaxUnpackedBytes = 1<<30, 1<<30
	f.createRepository(b, "app", "")
	total := 0
	for _, l := range layers {
		d := digest.FromBytes(l.data).String()
		u, err := f.startUpload("app")
		if err != nil {
			b.Fatal(err)
		}
		w, err := f.newBlobWriter(b.Context(), u, -1)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := bytes.NewReader(l.data).WriteTo(w); err != nil {
			b.Fatal(err)
		}
		if _, err := w.Commit(digest.Digest(d)); err != nil {
			b.Fatal(err)
		}
		total += len(l.tar)
	}
	b.SetBytes(int64(total))
	for n := 0; b.Loop(); n++ {
		b.StopTimer() // the image of the last round goes, with its layers
		f.pushImage(b, "app", "v1", layers, func(c *ocispec.Image) { c.Author = fmt.Sprint(n) })
		for _, u := range f.rootfs.List("") {
			if _, err := f.rootfs.Delete(b.Context(), u.Digest); err != nil {
				b.Fatal(err)
			}
		}
		if err := f.collect(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		_, release, err := f.Unpack(b.Context(), "app:v1", nil, "")
		if err != nil {
			b.Fatal(err)
		}
		release()
	}
}
