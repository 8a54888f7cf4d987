package appimage

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// object is what the loader needs to know of a program or library.
type object struct {
	machine     elf.Machine
	interpreter string   // "" of libraries and static programs
	needed      []string // DT_NEEDED
	runpath     []string // directories of its own, $ORIGIN replaced
}

func readObject(name string) (object, error) {
	f, err := elf.Open(name)
	if err != nil {
		return object{}, fmt.Errorf("read %s as a Linux program: %w", name, err)
	}
	defer f.Close()
	o := object{machine: f.Machine}
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil {
			return object{}, fmt.Errorf("read loader's name of %s: %w", name, err)
		}
		o.interpreter = strings.TrimRight(string(data), "\x00")
	}
	if o.needed, err = f.ImportedLibraries(); err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return object{}, fmt.Errorf("read libraries of %s: %w", name, err)
	}
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		paths, err := f.DynString(tag)
		if err != nil {
			continue // none
		}
		for p := range strings.SplitSeq(strings.Join(paths, ":"), ":") {
			p = strings.NewReplacer("$ORIGIN", filepath.Dir(name), "${ORIGIN}", filepath.Dir(name)).Replace(p)
			if path.IsAbs(p) {
				o.runpath = append(o.runpath, p)
			}
		}
	}
	return o, nil
}

// libraries finds the shared libraries that a program needs, by the name under
// which each is asked for, and its loader. A static program has neither.
func libraries(exe string) (libs map[string]string, interpreter string, err error) {
	exe, err = filepath.EvalSymlinks(exe)
	if err != nil {
		return nil, "", err
	}
	program, err := readObject(exe)
	if err != nil {
		return nil, "", err
	}
	libs = map[string]string{}
	dirs := loaderDirs("/etc/ld.so.conf", 0)
	for todo := []object{program}; len(todo) > 0; todo = todo[1:] {
		for _, name := range todo[0].needed {
			if libs[name] != "" || path.Base(name) != name || path.Base(program.interpreter) == name {
				continue
			}
			file, o, err := findLibrary(name, program.machine, append(todo[0].runpath, dirs...))
			if err != nil {
				return nil, "", err
			}
			libs[name] = file
			todo = append(todo, o)
		}
	}
	return libs, program.interpreter, nil
}

// findLibrary gives the first library of a name that is for the machine.
func findLibrary(name string, machine elf.Machine, dirs []string) (string, object, error) {
	for _, dir := range dirs {
		file, err := filepath.EvalSymlinks(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		if o, err := readObject(file); err == nil && o.machine == machine {
			return file, o, nil
		}
	}
	return "", object{}, fmt.Errorf("library %s is in none of %s", name, strings.Join(dirs, ", "))
}

// loaderDirs are the directories in which the loader looks: those that
// ld.so.conf and its includes name, and the ones built into it.
func loaderDirs(conf string, depth int) []string {
	var dirs []string
	if f, err := os.Open(conf); err == nil && depth < 8 {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			line, _, _ := strings.Cut(lines.Text(), "#")
			fields := strings.Fields(line)
			switch {
			case len(fields) == 2 && fields[0] == "include":
				pattern := fields[1]
				if !path.IsAbs(pattern) {
					pattern = filepath.Join(filepath.Dir(conf), pattern)
				}
				files, _ := filepath.Glob(pattern) // only a bad pattern is an error
				for _, file := range files {
					dirs = append(dirs, loaderDirs(file, depth+1)...)
				}
			case len(fields) == 1 && path.IsAbs(fields[0]):
				dirs = append(dirs, fields[0])
			}
		}
	}
	if depth == 0 {
		dirs = append(dirs, "/lib64", "/usr/lib64", "/lib", "/usr/lib")
	}
	return dirs
}
