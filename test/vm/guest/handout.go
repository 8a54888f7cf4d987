package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"neargate/test/vm/plan"
)

// module is the path that import paths begin with.
const module = "neargate"

// handOut answers "go build [flags] -o FILE PACKAGE" with the program that the
// runner has built before.
func handOut(args []string) error {
	pkg, file := "", ""
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-o" && i+1 < len(args):
			i++
			file = args[i]
		case !strings.HasPrefix(args[i], "-"):
			pkg = args[i]
		}
	}
	if len(args) == 0 || args[0] != "build" || file == "" || pkg == "" {
		return fmt.Errorf("go %s: this machine has no go tool, only what was built before: go build -o FILE PACKAGE", strings.Join(args, " "))
	}
	if strings.HasPrefix(pkg, ".") {
		wd, err := os.Getwd()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(plan.Source, filepath.Join(wd, pkg))
		if err != nil {
			return err
		}
		pkg = path.Join(module, rel)
	}
	data, err := os.ReadFile(filepath.Join(plan.Programs, pkg))
	if err != nil {
		return fmt.Errorf("go build %s: it was not built for this machine: %w", pkg, err)
	}
	return os.WriteFile(file, data, 0o755)
}
