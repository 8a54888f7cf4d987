package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// etcFiles are the files of /etc that the platform provides to every container.
func etcFiles() []string { return []string{"hosts", "hostname", "resolv.conf"} }

// writeEtc writes them into the task's directory; its containers share them.
func writeEtc(o *Order) error {
	hosts := append([]string{
		"127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback", o.Address.String() + " " + o.Hostname,
	}, o.Hosts...)
	texts := map[string]string{
		"hosts":       strings.Join(hosts, "\n") + "\n",
		"hostname":    o.Hostname + "\n",
		"resolv.conf": o.Resolv,
	}
	dir := filepath.Join(o.Dir, "etc")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make /etc: %w", err)
	}
	for _, name := range etcFiles() {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(texts[name]), 0o644); err != nil {
			return fmt.Errorf("write /etc/%s: %w", name, err)
		}
		if err := o.Labels.Mark(path); err != nil {
			return err
		}
	}
	return nil
}
