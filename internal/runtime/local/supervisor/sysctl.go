package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// setSysctls sets the task's kernel parameters. They are those of the namespaces
// that this process is in: a parameter of the machine's cannot be written here,
// as the kernel has none of them below net, and those of other places are refused
// at registration and here.
func setSysctls(o *Order) error {
	for _, s := range o.Sysctls {
		path := filepath.Join("/proc/sys", strings.ReplaceAll(s.Name, ".", "/"))
		if strings.ContainsAny(s.Name, "/\x00") || !namespaced(s.Name) {
			return fmt.Errorf("set sysctl %s: it is not of a network or an IPC namespace", s.Name)
		}
		if err := os.WriteFile(path, []byte(s.Value), 0); err != nil {
			return fmt.Errorf("set sysctl %s to %q: %w", s.Name, s.Value, err)
		}
	}
	return nil
}

func namespaced(name string) bool {
	for _, prefix := range []string{"net.", "fs.mqueue.", "kernel.msg", "kernel.sem", "kernel.shm"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
