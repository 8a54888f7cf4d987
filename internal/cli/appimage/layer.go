package appimage

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// epoch is the time of everything in the image, so that it depends on nothing
// but the program.
func epoch() time.Time { return time.Unix(0, 0).UTC() }

// file is a file of the image: where it lies there, and where here.
type file struct {
	name   string // without leading slash
	source string
}

// layer is the one layer of the image, an uncompressed tar: it moves within
// one machine, where compressing takes longer than copying.
type layer struct {
	files []file
}

// open gives the tar as a stream; closing it early ends the writing.
func (l layer) open() io.ReadCloser {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := l.write(w)
		w.CloseWithError(err)
	}()
	return stream{r, done}
}

// stream is a pipe whose Close waits for its writer.
type stream struct {
	*io.PipeReader
	done <-chan struct{}
}

// Close ends the stream.
func (s stream) Close() error {
	err := s.PipeReader.Close()
	<-s.done
	return err
}

// write writes the tar and says how long it is.
func (l layer) write(to io.Writer) (int64, error) {
	count := &counter{w: to}
	tw := tar.NewWriter(count)
	for _, dir := range l.dirs() {
		err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: epoch(), Format: tar.FormatPAX})
		if err != nil {
			return 0, err
		}
	}
	for _, f := range l.files {
		if err := writeFile(tw, f); err != nil {
			return 0, err
		}
	}
	err := tw.Close()
	return count.n, err
}

// dirs are the directories of the files, parents first, and /tmp.
func (l layer) dirs() []string {
	dirs := []string{"tmp"}
	for _, f := range l.files {
		for dir := path.Dir(f.name); dir != "."; dir = path.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

func writeFile(tw *tar.Writer, f file) error {
	in, err := os.Open(f.source)
	if err != nil {
		return err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", f.source)
	}
	err = tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: 0o755, Size: st.Size(), ModTime: epoch(), Format: tar.FormatPAX})
	if err != nil {
		return err
	}
	n, err := io.Copy(tw, in)
	if err == nil && n != st.Size() {
		err = fmt.Errorf("%s changed while it was read", f.source)
	}
	return err
}

// counter counts what is written through it.
type counter struct {
	w io.Writer
	n int64
}

// Write writes on.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Where things lie in the image.
const (
	programName = "neargate"
	libraryDir  = "lib"
)

// programFiles are the program and all it needs to run, in a fixed order.
func programFiles(exe string) ([]file, error) {
	libs, interpreter, err := libraries(exe)
	if err != nil {
		return nil, err
	}
	files := []file{{programName, exe}}
	if interpreter != "" {
		name := strings.TrimPrefix(path.Clean(interpreter), "/")
		if !path.IsAbs(interpreter) || strings.HasPrefix(name, programName) {
			return nil, errors.New("its loader " + interpreter + " cannot be copied")
		}
		files = append(files, file{name, interpreter})
	}
	for soname, source := range libs {
		f := file{path.Join(libraryDir, soname), source}
		if !slices.ContainsFunc(files, func(o file) bool { return o.name == f.name }) {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return files, nil
}
