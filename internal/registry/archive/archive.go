// Package archive reads images from files: what docker save writes, and OCI
// image layouts in a tar, both also compressed by gzip.
//
// A file may be of anybody's making. It is read once, from its beginning to its
// end; its members go to files of their own under names of ours, and what they
// claim to be is checked against their digests.
package archive

import (
	"archive/tar"
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
)

const (
	// maxMembers bounds the members of an archive, of every kind, also those whose
	// names come again.
	maxMembers = 10_000
	// maxName bounds the name of a member and what a link names, in bytes: Linux'
	// PATH_MAX.
	maxName = 4096
	// maxNames bounds all of them together, which memory holds, in bytes.
	maxNames = 4 << 20
	// maxJSON bounds a member that is read whole, in bytes.
	maxJSON = 8 << 20
	// maxLinks bounds the links from one member to another.
	maxLinks = 10
)

// Blob is a member of an archive, in a file, which whoever keeps it syncs.
type Blob struct {
	Path   string
	Digest string // "sha256:…"
	Size   int64
}

// Image is an image of an archive.
type Image struct {
	Names     []string // as the archive has them; may be none
	Tag       string   // the tag alone that an image without a name has; may be ""
	Manifest  []byte
	MediaType string
	Blobs     []Blob // the config and the layers
}

// Archive is an archive that has been read.
type Archive struct {
	members map[string]member // by path
	count   int               // of the members that were read
	names   int               // bytes of their names and links
}

// member is a file, or a link to one.
type member struct {
	Blob
	link string // the path of another member; "": it is a file
}

// Read reads an archive. Its members go to dir, which the caller empties; room is
// asked before each, with its size, and may refuse it.
func Read(in io.Reader, dir string, room func(size int64) error) (*Archive, error) {
	buffered := bufio.NewReaderSize(in, 1<<20)
	magic, err := buffered.Peek(2)
	if err != nil {
		return nil, errors.New("the archive is empty")
	}
	in = buffered
	if string(magic) == "\x1f\x8b" {
		if in, err = gzip.NewReader(buffered); err != nil {
			return nil, fmt.Errorf("read gzip: %w", err)
		}
	}
	a := &Archive{members: map[string]member{}}
	for tr := tar.NewReader(in); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && a.count == 0 {
			return nil, errors.New("this is no tar archive")
		}
		if err != nil {
			return nil, fmt.Errorf("read tar: %w", err)
		}
		if err := a.admit(h); err != nil {
			return nil, err
		}
		if err := a.take(h, tr, dir, room); err != nil {
			return nil, fmt.Errorf("member %q: %w", h.Name, err)
		}
	}
	_, err = io.Copy(io.Discard, in) // the sender is heard out
	return a, err
}

// admit counts a member, and refuses it where it is beyond a limit.
func (a *Archive) admit(h *tar.Header) error {
	a.count++
	a.names += len(h.Name) + len(h.Linkname)
	switch {
	case a.count > maxMembers:
		return fmt.Errorf("the archive has more than %d members", maxMembers)
	case len(h.Name) > maxName:
		return fmt.Errorf("member %.80q…: its name has %d bytes, the limit is %d", h.Name, len(h.Name), maxName)
	case len(h.Linkname) > maxName:
		return fmt.Errorf("member %.80q: its link has %d bytes, the limit is %d", h.Name, len(h.Linkname), maxName)
	case a.names > maxNames:
		return fmt.Errorf("the names and links of the archive's members have more than %d bytes", maxNames)
	}
	return nil
}

// take takes in one member, in place of an earlier one of its name, as tar does.
// Others than files and links are of no use.
func (a *Archive) take(h *tar.Header, content io.Reader, dir string, room func(int64) error) error {
	name := path.Clean("/" + h.Name)
	switch h.Typeflag {
	case tar.TypeSymlink:
		return a.put(name, member{link: path.Join(path.Dir(name), h.Linkname)})
	case tar.TypeLink:
		return a.put(name, member{link: path.Clean("/" + h.Linkname)})
	case tar.TypeReg:
		if err := room(h.Size); err != nil {
			return err
		}
		b, err := spool(content, filepath.Join(dir, rand.Text()))
		if err != nil {
			return err
		}
		return a.put(name, member{Blob: b})
	}
	return nil
}

// put notes a member, and removes the file of the one that it replaces.
func (a *Archive) put(name string, m member) error {
	old, replaced := a.members[name]
	a.members[name] = m
	if replaced && old.link == "" {
		return os.Remove(old.Path)
	}
	return nil
}

// spool writes a member to a file, which is not synced: most are read once and
// thrown away.
func spool(content io.Reader, to string) (Blob, error) {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Blob{}, err
	}
	sum := sha256.New()
	n, err := io.CopyBuffer(io.MultiWriter(f, sum), content, make([]byte, 256<<10))
	return Blob{to, "sha256:" + hex.EncodeToString(sum.Sum(nil)), n}, errors.Join(err, f.Close())
}

// find follows links to a file.
func (a *Archive) find(name string) (Blob, error) {
	at := path.Clean("/" + name)
	for range maxLinks {
		m, ok := a.members[at]
		if !ok {
			break
		}
		if m.link == "" {
			return m.Blob, nil
		}
		at = m.link
	}
	return Blob{}, fmt.Errorf("the archive has no file %s", path.Clean("/" + name)[1:])
}

func (a *Archive) has(name string) bool {
	_, err := a.find(name)
	return err == nil
}

// read returns the content of a small member.
func (a *Archive) read(name string) ([]byte, error) {
	b, err := a.find(name)
	if err != nil {
		return nil, err
	}
	if b.Size > maxJSON {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxJSON)
	}
	return os.ReadFile(b.Path)
}

func (a *Archive) decode(name string, into any) error {
	data, err := a.read(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// Choose picks, of an index, the manifest for a machine: the digests of the
// index's descriptors in order, and get to read one of them.
type Choose func(index []byte, mediaType string, get func(digest string) ([]byte, error)) (manifest []byte, err error)

// Images returns the images of the archive; choose decides where one is there
// for several platforms.
func (a *Archive) Images(choose Choose) ([]Image, error) {
	switch {
	case a.has("manifest.json"):
		return a.docker()
	case a.has("index.json"):
		return a.layout(choose)
	}
	return nil, errors.New("this is neither an archive of docker save nor an OCI image layout: it has no manifest.json and no index.json")
}
