package confine

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fake is a kernel's AppArmor as files, and a parser that only adds the
// profile's name to them and counts its runs.
type fake struct {
	*AppArmor
	t    *testing.T
	runs string // file
}

func newFake(t *testing.T) *fake {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	f := &fake{t: t, runs: at("runs"), AppArmor: &AppArmor{
		enabled: at("enabled"), dir: dir, labels: []string{at("missing"), at("label")}, mark: at("mark"),
		parsers: []string{at("missing"), at("parser")},
	}}
	f.write("enabled", "Y\n")
	f.write("label", unconfined+"\n")
	f.write("profiles", "docker-default (enforce)\nx"+Profile+" (enforce)\n")
	f.write(".remove", "")
	f.write("parser", "#!/bin/sh\ncat >"+at("text")+"\necho $@ >>"+f.runs+"\necho '"+Profile+" (enforce)' >>"+at("profiles")+"\n")
	if err := os.Chmod(at("parser"), 0o755); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fake) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) read(name string) string {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil && !os.IsNotExist(err) {
		f.t.Fatal(err)
	}
	return string(data)
}

func (f *fake) load() {
	f.t.Helper()
	if err := f.Load(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	if loaded, err := f.Loaded(); !loaded || err != nil {
		f.t.Fatalf("after loading: loaded %v, %v", loaded, err)
	}
}

// TestLoad: once for all servers of a machine, again when the profile is of
// another version or has been taken away.
func TestLoad(t *testing.T) {
	f := newFake(t)
	if loaded, err := f.Loaded(); loaded || err != nil {
		t.Fatalf("at first: loaded %v, %v", loaded, err)
	}
	runs := func() int { return strings.Count(f.read("runs"), "\n") }
	f.load()
	if f.read("text") != profileText {
		t.Errorf("the parser got %q", f.read("text"))
	}
	f.load()
	if runs() != 1 {
		t.Errorf("the parser ran %d times for what was loaded", runs())
	}
	f.write("mark", "profile of another version")
	f.load()
	f.load()
	if runs() != 2 {
		t.Errorf("the parser ran %d times, want once more for another text", runs())
	}
	f.write("profiles", "")
	f.load()
	if runs() != 3 {
		t.Errorf("the parser ran %d times, want once more for a profile that was gone", runs())
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(f *fake)
		want   string
	}{
		"no parser":      {func(f *fake) { f.parsers = f.parsers[:1] }, ErrNoParser.Error()},
		"failing parser": {func(f *fake) { f.write("parser", "#!/bin/sh\necho no such rule\nexit 1\n") }, "no such rule"},
		"no securityfs":  {func(f *fake) { f.dir = f.runs }, "list AppArmor's profiles"},
		"confined":       {func(f *fake) { f.write("label", "docker-default (enforce)\n") }, "confined by docker-default (enforce)"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			c.change(f)
			err := f.Load(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("loading: %v, want an error with %q", err, c.want)
			}
			if f.read("mark") != "" && f.dir != f.runs {
				t.Error("it is noted as loaded")
			}
		})
	}
}

func TestUnload(t *testing.T) {
	f := newFake(t)
	if err := f.Unload(); err != nil || f.read(".remove") != "" {
		t.Errorf("of what was not loaded: %v, removed %q", err, f.read(".remove"))
	}
	f.load()
	if err := f.Unload(); err != nil || f.read(".remove") != Profile {
		t.Errorf("of the profile: %v, removed %q, want %q", err, f.read(".remove"), Profile)
	}
	f.dir = filepath.Join(t.TempDir(), "missing") // securityfs is not mounted
	if err := f.Unload(); err != nil {
		t.Errorf("without securityfs: %v", err)
	}
	if err := os.WriteFile(f.enabled, []byte("N\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f.Enabled() {
		t.Error("enabled, and the kernel has it off")
	}
	if err := f.Unload(); err != nil {
		t.Errorf("without AppArmor: %v", err)
	}
}

// TestParserReadsProfile has the real parser read the text, which no kernel gets.
func TestParserReadsProfile(t *testing.T) {
	parser, err := New("").parser()
	if err != nil {
		t.Skip("needs apparmor_parser: " + err.Error())
	}
	cmd := exec.CommandContext(t.Context(), parser, "--names", "--skip-cache")
	cmd.Stdin = strings.NewReader(profileText)
	if out, err := cmd.Output(); err != nil || strings.TrimSpace(string(out)) != Profile {
		t.Errorf("it reads a profile %q: %v", out, err)
	}
}
