package scenario_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// lacksVariable says what the machine has been deprived of, in the words that
// the server must use. test/vm sets it; elsewhere the test has nothing to show.
const lacksVariable = "NEARGATE_TEST_LACKS"

// TestServeRefusesMachine starts a server where no task could start.
func TestServeRefusesMachine(t *testing.T) {
	lacks := os.Getenv(lacksVariable)
	if lacks == "" {
		t.Skip("needs a machine that lacks something: make test-vm")
	}
	out, err := exec.Command(neargate(t), "serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0").CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err == nil || len(lines) != 2 || !strings.Contains(lines[0], lacks) || !strings.HasPrefix(lines[1], "hint: ") {
		t.Errorf("serve: %v, want one line with %q, and a hint; it printed:\n%s", err, lacks, out)
	}
	t.Logf("%s", out)
}
