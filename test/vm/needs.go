package main

import (
	"os"
	"os/exec"
	"runtime"
)

// emulator is the program that runs the machine.
const emulator = "qemu-system-x86_64"

// needs reports what is missing for a machine, as a skip.
func needs() error {
	if runtime.GOARCH != "amd64" {
		return skip{"needs amd64: the kernel is Debian's for that architecture"}
	}
	if os.Geteuid() != 0 {
		return skip{"needs root: the machine's disk belongs to root"}
	}
	for _, n := range []struct{ program, pkg string }{
		{emulator, "qemu-system-x86"},
		{"busybox", "busybox-static"},
		{"mke2fs", "e2fsprogs"},
		{"gcc", "gcc"},
		{"dpkg-deb", "dpkg"},
	} {
		if _, err := exec.LookPath(n.program); err != nil {
			return skip{"needs " + n.program + " (package " + n.pkg + ")"}
		}
	}
	return nil
}
