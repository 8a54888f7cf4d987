package scenario_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"neargate/internal/certs"
)

// TestTerraformCertificates makes, changes and removes certificates, a listener
// over HTTPS and a trust store, and finds each time what it asked for.
func TestTerraformCertificates(t *testing.T) {
	tf := newTerraformOf(t, filepath.Join("testdata", "certificates"))
	authority, err := certs.OpenAuthority(tf.dir, time.Now()) // its root is ca.pem
	if err != nil {
		t.Fatal(err)
	}
	for _, stage := range []string{"one", "two"} {
		cert, key, err := authority.Issue([]string{"imported.test"}, time.Now(), 48*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string][]byte{stage + ".pem": cert, stage + ".key": key} {
			if err := os.WriteFile(filepath.Join(tf.dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	tf.run("apply", "-auto-approve")
	tf.unchanged()
	tf.run("apply", "-auto-approve", "-var=stage=two")
	tf.unchanged("-var=stage=two")
	tf.run("destroy", "-auto-approve", "-var=stage=two")
	if left := tf.run("state", "list"); strings.TrimSpace(left) != "" {
		t.Errorf("left after destroy:\n%s", left)
	}
}
