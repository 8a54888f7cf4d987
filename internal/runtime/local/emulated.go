package local

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"neargate/internal/model"
)

// emulated returns the architectures for whose programs the kernel has an
// interpreter that containers can use, by its list in a directory such as
// /proc/sys/fs/binfmt_misc (Linux, admin-guide/binfmt-misc). What cannot be read
// there is not had.
func emulated(dir string) []model.Architecture {
	if status, err := os.ReadFile(filepath.Join(dir, "status")); err != nil || strings.TrimSpace(string(status)) != "enabled" {
		return nil
	}
	entries, _ := os.ReadDir(dir)
	var out []model.Architecture
	for _, one := range []struct {
		architecture model.Architecture
		machine      elf.Machine
	}{{model.AMD64, elf.EM_X86_64}, {model.ARM64, elf.EM_AARCH64}} {
		for _, e := range entries {
			if text, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil && interprets(text, header(one.machine)) {
				out = append(out, one.architecture)
				break
			}
		}
	}
	return out
}

// header is the beginning of a program for a machine.
func header(m elf.Machine) []byte {
	h := make([]byte, 64)
	copy(h, elf.ELFMAG)
	h[elf.EI_CLASS], h[elf.EI_DATA], h[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	h[16], h[18] = byte(elf.ET_EXEC), byte(m)
	return h
}

// interprets reports whether an entry of binfmt_misc is enabled, takes a program
// by its beginning, and has flag F: the kernel has opened the interpreter, which
// is in no image.
func interprets(entry, program []byte) bool {
	fields := map[string]string{}
	enabled := false
	for lines := bufio.NewScanner(bytes.NewReader(entry)); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), " ")
		fields[strings.TrimSuffix(key, ":")] = strings.TrimSpace(value)
		enabled = enabled || lines.Text() == "enabled"
	}
	offset, err := strconv.Atoi(fields["offset"])
	magic, bad := hex.DecodeString(fields["magic"])
	if !enabled || err != nil || bad != nil || len(magic) == 0 || !strings.Contains(fields["flags"], "F") {
		return false
	}
	mask, err := hex.DecodeString(fields["mask"])
	if err != nil || offset < 0 || offset+len(magic) > len(program) {
		return false
	}
	for i, want := range magic {
		got := program[offset+i]
		if len(mask) == len(magic) {
			got, want = got&mask[i], want&mask[i]
		}
		if got != want {
			return false
		}
	}
	return true
}
