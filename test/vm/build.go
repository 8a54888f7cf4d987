package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"neargate/test/vm/plan"
)

// suite is packages to test on the machine.
type suite struct {
	packages string // a pattern of the go tool
	run      string // only these tests; "" for all
	deprived bool   // on machines that lack something
}

// suites are what the machine is for: containers, and a whole server.
var suites = []suite{
	{packages: "./test/scenario", run: "^TestServeRefusesMachine$", deprived: true},
	{packages: "./internal/runtime/local/..."},
	{packages: "./internal/registry/..."},
	{packages: "./test/scenario", run: "^TestServiceBehindBalancer$"},
}

// programs are what tests build with "go build" beside their own testdata.
var programs = []string{"neargate/cmd/neargate"}

// static links programs that need C so that they run without its libraries, as
// a release does.
var static = []string{"-tags=netgo,osusergo", "-ldflags=-w -linkmode=external -extldflags=-static"}

// installTests builds test binaries and the programs that they use, and writes
// the plan of their runs.
func installTests(ctx context.Context, root string, o options) error {
	if err := goBuild(ctx, filepath.Join(root, plan.Init), "neargate/test/vm/guest", "-ldflags=-s -w"); err != nil {
		return err
	}
	chosen := suites
	if len(o.packages) > 0 {
		chosen = nil
		for _, p := range o.packages {
			chosen = append(chosen, suite{packages: p})
		}
	}
	var p plan.Plan
	for _, s := range chosen {
		if o.run != "" {
			s.run = o.run
		}
		steps, err := s.install(ctx, root)
		if err != nil {
			return err
		}
		p.Steps = append(p.Steps, steps...)
	}
	for _, name := range programs {
		if err := goBuild(ctx, filepath.Join(root, plan.Programs, name), name, static...); err != nil {
			return err
		}
	}
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, plan.File), data, 0o644)
}

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Dir, Root     string
	TestGoFiles, XTestGoFiles []string
}

// install builds the tests of each package and gives the steps that run them.
func (s suite) install(ctx context.Context, root string) ([]plan.Step, error) {
	out, err := goTool(ctx, "list", "-json=ImportPath,Dir,Root,TestGoFiles,XTestGoFiles", s.packages)
	if err != nil {
		return nil, err
	}
	var steps []plan.Step
	for dec := json.NewDecoder(strings.NewReader(out)); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
			continue
		}
		rel, err := filepath.Rel(p.Root, p.Dir)
		if err != nil {
			return nil, err
		}
		binary := path.Join("/vm/tests", rel+".test")
		fmt.Fprintln(os.Stderr, "vm: building tests of", p.ImportPath)
		if _, err := goTool(ctx, append([]string{"test", "-c", "-o", filepath.Join(root, binary)}, append(static, p.ImportPath)...)...); err != nil {
			return nil, err
		}
		dir := path.Join(plan.Source, rel)
		if err := copyPackage(ctx, p, filepath.Join(root, dir), root); err != nil {
			return nil, err
		}
		step := plan.Step{
			Name: p.ImportPath, Binary: binary, Dir: dir,
			Args: []string{"-test.v=test2json", "-test.shuffle=on", "-test.timeout=12m", "-test.run=" + s.run},
		}
		if s.deprived {
			steps = append(steps, deprivedSteps(step)...)
		} else {
			steps = append(steps, step)
		}
	}
	return steps, nil
}

// copyPackage copies a package's files and testdata, and builds the programs in
// its testdata; not those that are modules of their own, whose tests do not run
// in the machine.
func copyPackage(ctx context.Context, p listed, dst, root string) error {
	if err := copyTree(ctx, p.Dir+"/.", dst); err != nil {
		return err
	}
	return fs.WalkDir(os.DirFS(p.Dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Base(name) != "main.go" || !strings.HasPrefix(name, "testdata/") {
			return err
		}
		if _, err := os.Stat(filepath.Join(p.Dir, path.Dir(name), "go.mod")); err == nil {
			return nil
		}
		pkg := path.Join(p.ImportPath, path.Dir(name))
		return goBuild(ctx, filepath.Join(root, plan.Programs, pkg), pkg, "-ldflags=-s -w")
	})
}

// goBuild builds a program: without C unless flags say how to link it.
func goBuild(ctx context.Context, file, pkg string, flags ...string) error {
	cgo := "CGO_ENABLED=0"
	if len(flags) == len(static) {
		cgo = "CGO_ENABLED=1"
	}
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-o", file}, flags...), pkg)...)
	cmd.Env = append(os.Environ(), cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

func goTool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, errs.String())
	}
	return string(out), nil
}
