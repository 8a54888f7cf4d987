package local

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"neargate/internal/model"
)

// What Debian's qemu-user-static registers, as Linux prints it.
const (
	magicARM64 = "magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
	magicAMD64 = "magic 7f454c4602010100000000000000000002003e00\nmask fffffffffffefe00fffffffffffffffffeffffff\n"
	magicARM   = "magic 7f454c4601010100000000000000000002002800\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
	qemu       = "interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P\n"
)

func TestEmulatedArchitectures(t *testing.T) {
	arm64 := map[string]string{"qemu-aarch64": "enabled\n" + qemu + "flags: POF\noffset 0\n" + magicARM64}
	for _, row := range []struct {
		name    string
		status  string // "": the file is not there
		entries map[string]string
		want    []model.Architecture
	}{
		{"not mounted", "", nil, nil},
		{"nothing registered", "enabled\n", nil, nil},
		{"arm64", "enabled\n", arm64, []model.Architecture{model.ARM64}},
		{"all switched off", "disabled\n", arm64, nil},
		{"one switched off", "enabled\n", map[string]string{"qemu-aarch64": "disabled\n" + qemu + "flags: POF\noffset 0\n" + magicARM64}, nil},
		{"an interpreter that containers do not see", "enabled\n", map[string]string{"qemu-aarch64": "enabled\n" + qemu + "flags: OC\noffset 0\n" + magicARM64}, nil},
		{"another name", "enabled\n", map[string]string{"rosetta": "enabled\ninterpreter /mnt/rosetta\nflags: CF\noffset 0\n" + magicAMD64}, []model.Architecture{model.AMD64}},
		{"32 bits", "enabled\n", map[string]string{"qemu-arm": "enabled\n" + qemu + "flags: F\noffset 0\n" + magicARM}, nil},
		{"by extension", "enabled\n", map[string]string{"python3.11": "enabled\ninterpreter /usr/bin/python3.11\nflags: F\nextension .pyc\n"}, nil},
		{"the second of two", "enabled\n", map[string]string{
			"a": "disabled\n" + qemu + "flags: F\noffset 0\n" + magicARM64, "b": "enabled\n" + qemu + "flags: F\noffset 0\n" + magicARM64,
		}, []model.Architecture{model.ARM64}},
		{"every program", "enabled\n", map[string]string{"elf": "enabled\n" + qemu + "flags: F\noffset 0\nmagic 7f454c46\n"}, []model.Architecture{model.AMD64, model.ARM64}},
		{"rubbish", "enabled\n", map[string]string{"x": "enabled\nflags: F\noffset 1000000\nmagic 7f\n", "y": "enabled\nflags: F\noffset -1\nmagic zz", "z": ""}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if row.status != "" {
				write("status", row.status)
			}
			for name, text := range row.entries {
				write(name, text)
			}
			if got := emulated(dir); !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}
