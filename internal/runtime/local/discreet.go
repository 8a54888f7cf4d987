package local

import (
	"errors"
	"path/filepath"
	"strings"

	"neargate/internal/model"
	"neargate/internal/runtime"
	"neargate/internal/runtime/local/supervisor"
)

// discretion keeps paths of the machine out of what callers of the APIs read:
// where the data lies is not theirs to know. The log has the whole text.
type discretion struct {
	roots []string // below which all is the engine's own
}

func newDiscretion(dataDir string) discretion {
	d := discretion{[]string{dataDir, runDir, "/sys/fs/cgroup"}}
	if resolved, err := filepath.EvalSymlinks(dataDir); err == nil && resolved != dataDir {
		d.roots = append(d.roots, resolved)
	}
	return d
}

// text returns s with each path of the machine cut down to what it is to a
// container: its path from the container's root, else the name of the file.
func (d discretion) text(s string) string {
	for _, root := range d.roots {
		var out strings.Builder
		for {
			before, after, found := strings.Cut(s, root)
			out.WriteString(before)
			if !found {
				break
			}
			if after != "" && !ends(rune(after[0])) && after[0] != '/' { // of another directory
				out.WriteString(root)
				s = after
				continue
			}
			end := strings.IndexFunc(after, ends)
			if end < 0 {
				end = len(after)
			}
			out.WriteString(shown(after[:end]))
			s = after[end:]
		}
		s = out.String()
	}
	return s
}

// ends reports whether no path in an error goes on with r.
func ends(r rune) bool { return strings.ContainsRune(" \t\n\"'`:;,()[]", r) }

// shown is what is left of a path below a root.
func shown(path string) string {
	if _, inside, ok := strings.Cut(path+"/", "/rootfs/"); ok {
		return "/" + strings.TrimSuffix(inside, "/")
	}
	if path = strings.Trim(path, "/"); path == "" {
		return "the data directory"
	}
	return filepath.Base(path)
}

// err returns an error whose message has no path of the machine. The cause, which
// is for the log, has the message as it was.
func (d discretion) err(err error) error {
	m, ok := errors.AsType[*model.Error](err)
	if !ok {
		return err
	}
	text := d.text(m.Msg)
	if text == m.Msg {
		return err
	}
	var told error = &model.Error{Kind: m.Kind, Code: m.Code, Msg: text, Err: errors.Join(errors.New(m.Msg), m.Err)}
	if c, ok := errors.AsType[*runtime.ContainerError](err); ok {
		told = &runtime.ContainerError{Container: c.Container, Err: told}
	}
	return told
}

// report returns what a supervisor reports, without paths of the machine.
func (d discretion) report(r supervisor.Report) supervisor.Report {
	r.Failure = d.text(r.Failure)
	for i := range r.Containers {
		r.Containers[i].Reason = d.text(r.Containers[i].Reason)
	}
	return r
}
