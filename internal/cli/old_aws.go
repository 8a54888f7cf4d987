package cli

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"time"
)

// oldAWS returns the version of the `aws` on PATH if that is one which does not
// read AWS_ENDPOINT_URL: those before 1.29 and 2.13, among them Debian 12's.
func oldAWS(ctx context.Context) (version string, old bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "aws", "--version").CombinedOutput() // 1.x before 1.18 says it on stderr
	if err != nil {
		return "", false // none is installed
	}
	return readsNoEndpoint(string(out))
}

var awsVersion = regexp.MustCompile(`^aws-cli/((\d+)\.(\d+)\.\S+)`)

// readsNoEndpoint reads the output of `aws --version`.
func readsNoEndpoint(said string) (version string, old bool) {
	m := awsVersion.FindStringSubmatch(said)
	if m == nil {
		return "", false
	}
	var major, minor int
	if _, err := fmt.Sscan(m[2]+" "+m[3], &major, &minor); err != nil {
		return "", false
	}
	return m[1], major == 1 && minor < 29 || major == 2 && minor < 13
}

// awsFunction is a shell function that passes the endpoint to an old `aws`. Bash
// hands it down to scripts as well.
const awsFunction = `# aws %s does not read AWS_ENDPOINT_URL, as 2.13 does: tell it on each call.
aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }
[ -z "${BASH_VERSION:-}" ] || export -f aws
`
