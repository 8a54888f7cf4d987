package resolver

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// globalServers returns the name servers that systemd-resolved is configured with
// for no link of its own (resolved.conf(5), DNS=), but for the one that our drop-in
// names. A drop-in comes after the file, and one in /etc in place of its namesake
// elsewhere.
func (m Machine) globalServers() ([]string, error) {
	dirs := []string{m.path("usr", "lib", "systemd"), m.path("run", "systemd"), m.path("etc", "systemd")}
	first, dropIns := "", map[string]string{}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "resolved.conf")); err == nil {
			first = filepath.Join(dir, "resolved.conf")
		}
		found, err := filepath.Glob(filepath.Join(dir, "resolved.conf.d", "*.conf"))
		if err != nil {
			return nil, fmt.Errorf("look for the configuration of systemd-resolved: %w", err)
		}
		for _, path := range found {
			dropIns[filepath.Base(path)] = path
		}
	}
	delete(dropIns, filepath.Base(m.dropIn()))
	var paths, servers []string
	if first != "" {
		paths = append(paths, first)
	}
	for _, name := range slices.Sorted(maps.Keys(dropIns)) {
		paths = append(paths, dropIns[name])
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the configuration of systemd-resolved: %w", err)
		}
		servers = withServers(servers, string(text))
	}
	return servers, nil
}

// withServers adds the name servers of a file of systemd-resolved's to those of
// the files before it; an empty list takes all back.
func withServers(servers []string, text string) []string {
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section != "[Resolve]" || strings.TrimSpace(key) != "DNS" {
			continue
		}
		if fields := strings.Fields(value); len(fields) > 0 {
			servers = append(servers, fields...)
		} else {
			servers = nil
		}
	}
	return servers
}
