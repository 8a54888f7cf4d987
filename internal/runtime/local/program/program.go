// Package program creates a lighter program from the one that runs: a copy that does
// not initialise the packages that it will never use.
//
// A task's supervisor and the first process of a container are this same
// program, so each of them fills the tables of the AWS SDK before its main
// begins: 4 MB and 10 ms for nothing, twice for every task. Go initialises every
// package that is linked in; its linker describes each one's initialisation by a
// symbol "PACKAGE..inittask" with a state in front, which says "done" in the
// copy. What the layout of that symbol is, is the Go runtime's own affair
// (runtime/proc.go, initTask), so every one is checked before it is changed, and
// who asked goes on with the whole program when one is not as expected.
package program

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Unused are the packages, by the beginnings of their paths, that neither a
// supervisor nor a container's first process uses.
func Unused() []string { return []string{"github.com/aws/", "neargate/internal/aws/"} }

// The states of an initTask that matter here.
const (
	pending = 0
	done    = 2
)

// suffix ends the name of the symbol of a package's initialisation.
const suffix = "..inittask"

// Lighten writes to dst, which only its owner can run, the program src without
// the initialisation of packages whose import path begins with one of prefixes.
// It returns how many these are; with none of them, or an error, there is no
// dst.
func Lighten(dst, src string, prefixes ...string) (n int, err error) {
	in, err := os.Open(src)
	if err != nil {
		return 0, fmt.Errorf("lighten %s: %w", src, err)
	}
	defer func() { _ = in.Close() }()
	offsets, err := tasks(in, prefixes)
	if err != nil || len(offsets) == 0 {
		return 0, err
	}
	if err := write(dst, in, offsets); err != nil {
		return 0, errors.Join(fmt.Errorf("lighten %s: %w", src, err), os.Remove(dst))
	}
	return len(offsets), nil
}

func write(dst string, in io.ReadSeeker, offsets []int64) error {
	out, err := os.OpenFile(dst, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	if _, err = in.Seek(0, io.SeekStart); err == nil {
		_, err = io.Copy(out, in)
	}
	for _, at := range offsets {
		if err == nil {
			_, err = out.WriteAt([]byte{done}, at) // its other three bytes are 0
		}
	}
	return errors.Join(err, out.Close())
}

// tasks returns where in the file the states of the packages are.
func tasks(file io.ReaderAt, prefixes []string) ([]int64, error) {
	f, err := elf.NewFile(file)
	if err != nil {
		return nil, fmt.Errorf("read program: %w", err)
	}
	if f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB {
		return nil, fmt.Errorf("read program: it is %s, %s", f.Class, f.Data)
	}
	symbols, err := f.Symbols()
	if err != nil { // it has been stripped
		return nil, fmt.Errorf("read the program's symbols: %w", err)
	}
	var offsets []int64
	for _, s := range symbols {
		name, ok := strings.CutSuffix(s.Name, suffix)
		if !ok || !begins(name, prefixes) {
			continue
		}
		at, err := locate(f, s)
		if err != nil {
			return nil, fmt.Errorf("initialisation of package %s: %w", name, err)
		}
		offsets = append(offsets, at)
	}
	return offsets, nil
}

func begins(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// locate returns where in the file an initTask is, if it is one: a state and a
// number of functions, of 4 bytes each, and as many addresses.
func locate(f *elf.File, s elf.Symbol) (int64, error) {
	if int(s.Section) >= len(f.Sections) {
		return 0, fmt.Errorf("it is in no section")
	}
	section := f.Sections[s.Section]
	if section.Type != elf.SHT_PROGBITS || s.Value < section.Addr || s.Value+8 > section.Addr+section.Size {
		return 0, fmt.Errorf("it is not in section %s", section.Name)
	}
	at := s.Value - section.Addr
	var head [8]byte
	if _, err := section.ReadAt(head[:], int64(at)); err != nil {
		return 0, err
	}
	state, functions := f.ByteOrder.Uint32(head[:]), f.ByteOrder.Uint32(head[4:])
	if state != pending || functions == 0 || s.Size != 8+8*uint64(functions) {
		return 0, fmt.Errorf("it has state %d, %d functions and %d bytes", state, functions, s.Size)
	}
	return int64(section.Offset + at), nil
}

// ID returns a name for the program of a file, which every build changes.
func ID(src string) (string, error) {
	f, err := elf.Open(src)
	if err != nil {
		return "", fmt.Errorf("read program: %w", err)
	}
	defer func() { _ = f.Close() }()
	note := f.Section(".note.go.buildid")
	if note == nil {
		return "", fmt.Errorf("read program: %s has no build ID", src)
	}
	text, err := note.Data()
	if err != nil {
		return "", fmt.Errorf("read the program's build ID: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}
