package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// probeName begins the names of cgroups that are made to see whether it works;
// the ID of the process that made it follows.
const probeName = "probe-"

// Probe makes a cgroup below path, limits and reads it, and removes it, as is
// done for each task. It also removes what a probe left that was killed.
func (l *Layout) Probe(path string) error {
	left, err := l.Paths(path)
	if err != nil {
		return err
	}
	for _, p := range left {
		pid, mine := strings.CutPrefix(filepath.Base(p), probeName)
		if n, err := strconv.Atoi(pid); mine && err == nil && errors.Is(unix.Kill(n, 0), unix.ESRCH) {
			if err := l.removeOnce(p); err != nil {
				return err
			}
		}
	}
	name := filepath.Join(path, probeName+strconv.Itoa(os.Getpid()))
	err = errors.Join(l.tryLimits(name), l.removeOnce(name))
	l.RemoveEmpty(path)
	return err
}

func (l *Layout) tryLimits(path string) error {
	if err := l.Make(path); err != nil {
		return err
	}
	if err := l.LimitMemory(path, 64<<20); err != nil {
		return err
	}
	if err := l.LimitCPU(path, 100*time.Millisecond, 100*time.Millisecond); err != nil {
		return err
	}
	if err := write(l.file("pids", path, "pids.max"), "64"); err != nil {
		return fmt.Errorf("limit processes: %w", err)
	}
	if l.unified {
		return tryDeviceProgram()
	}
	return nil
}

// tryDeviceProgram loads the smallest program of the kind that keeps tasks from
// devices on cgroup v2: it allows all, and is attached to nothing.
func tryDeviceProgram() error {
	const cmdLoad, kindCgroupDevice = 5, 15 // BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE
	code := [2]uint64{0x1_0000_00b7, 0x95}  // r0 = 1; exit
	license := [4]byte{'G', 'P', 'L'}
	attr := struct {
		kind, length          uint32
		code, license         uint64
		logLevel, logSize     uint32
		log                   uint64
		kernelVersion, flags  uint32
		name                  [16]byte
		ifindex, expectedKind uint32
	}{
		kind: kindCgroupDevice, length: uint32(len(code)),
		code: uint64(uintptr(unsafe.Pointer(&code))), license: uint64(uintptr(unsafe.Pointer(&license))),
	}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, cmdLoad, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(&code)
	runtime.KeepAlive(&license)
	if errno != 0 {
		return fmt.Errorf("limit devices by a BPF program: %w", errno)
	}
	return unix.Close(int(fd))
}
