package scenario_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// TestTerraform makes examples/terraform, changes it in place, and removes it:
// after each apply the provider must find what it asked for, after the end
// nothing is left.
func TestTerraform(t *testing.T) {
	tf := newTerraform(t)
	tf.run("apply", "-auto-approve", "-target=aws_ecr_repository.app")
	tf.pushExample(tf.output("repository_url") + ":latest")

	tf.run("apply", "-auto-approve")
	tf.strict()
	tf.unchanged()
	tf.serves("apply")

	changed := []string{"-var=stage=live", "-var=log_level=debug", "-var=desired_count=3", "-var=clients=127.0.0.0/8"}
	tf.run("apply", slices.Concat([]string{"-auto-approve"}, changed)...)
	tf.unchanged(changed...)
	tf.serves("a change")

	tf.run("destroy", slices.Concat([]string{"-auto-approve"}, changed)...)
	if left := tf.run("state", "list"); strings.TrimSpace(left) != "" {
		t.Errorf("left after destroy:\n%s", left)
	}
	tf.nothingLeft()
}

// terraform runs Terraform on a copy of examples/terraform against a server.
type terraform struct {
	t        *testing.T
	s        *server
	dir, exe string
	env      []string
}

// strict sets the attribute of our own that the load balancer has; the provider must
// not mind.
func (tf *terraform) strict() {
	tf.t.Helper()
	c := newClient(tf.s)
	lbs := must[*elb.DescribeLoadBalancersOutput](tf.t)(c.elb.DescribeLoadBalancers(tf.t.Context(), &elb.DescribeLoadBalancersInput{}))
	must[*elb.ModifyLoadBalancerAttributesOutput](tf.t)(c.elb.ModifyLoadBalancerAttributes(tf.t.Context(), &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: lbs.LoadBalancers[0].LoadBalancerArn, Attributes: []elbtypes.LoadBalancerAttribute{{Key: aws.String("neargate:strict"), Value: aws.String("true")}},
	}))
}

// newTerraform returns an initialised copy of the example, or skips the test
// where Terraform or the provider is not found. Nothing is fetched.
func newTerraform(t *testing.T) *terraform {
	t.Helper()
	return newTerraformOf(t, "../../examples/terraform")
}

// newTerraformOf is newTerraform with another configuration, which has a variable
// port as well.
func newTerraformOf(t *testing.T, from string) *terraform {
	t.Helper()
	exe, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("needs terraform")
	}
	dir := t.TempDir()
	config := providerConfig(t, dir)
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	s := serve(t, t.TempDir())
	tf := &terraform{t: t, s: s, dir: dir, exe: exe, env: append(os.Environ(),
		"TF_CLI_CONFIG_FILE="+config, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0", fmt.Sprint("TF_VAR_port=", freePort(t)),
		"AWS_ENDPOINT_URL="+s.Endpoint, "AWS_REGION="+s.Region, "AWS_ACCESS_KEY_ID="+s.AccessKey, "AWS_SECRET_ACCESS_KEY="+s.SecretKey,
		"AWS_SESSION_TOKEN=", "AWS_PROFILE=", "AWS_CONFIG_FILE="+filepath.Join(dir, "none"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(dir, "none"),
	)}
	if out, err := tf.command("init"); err != nil {
		t.Skipf("needs the AWS provider in a mirror (TF_PLUGIN_MIRROR, or one that TF_CLI_CONFIG_FILE configures): %v\n%s", err, out)
	}
	return tf
}

// providerConfig returns a file of Terraform's configuration by which providers
// are found on this machine.
func providerConfig(t *testing.T, dir string) string {
	t.Helper()
	mirror := os.Getenv("TF_PLUGIN_MIRROR")
	if mirror == "" {
		if file := os.Getenv("TF_CLI_CONFIG_FILE"); file != "" {
			return file
		}
		t.Skip("needs a mirror of Terraform's AWS provider: TF_PLUGIN_MIRROR, or TF_CLI_CONFIG_FILE that configures one")
	}
	file := filepath.Join(dir, "terraform.rc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (tf *terraform) command(name string, args ...string) (string, error) {
	cmd := exec.CommandContext(tf.t.Context(), tf.exe, slices.Concat([]string{name}, args)...)
	cmd.Dir, cmd.Env = tf.dir, tf.env
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return string(out) + errs.String(), fmt.Errorf("terraform %s: %w", name, err)
	}
	return string(out), nil
}

// run runs a command that must succeed and returns what it printed.
func (tf *terraform) run(name string, args ...string) string {
	tf.t.Helper()
	out, err := tf.command(name, args...)
	if err != nil {
		tf.t.Fatalf("%v\n%s", err, out)
	}
	return out
}

func (tf *terraform) output(name string) string {
	tf.t.Helper()
	return tf.run("output", "-raw", name)
}

// unchanged expects that what was read back is what was asked for.
func (tf *terraform) unchanged(variables ...string) {
	tf.t.Helper()
	out, err := tf.command("plan", slices.Concat([]string{"-no-color", "-detailed-exitcode"}, variables)...)
	if err != nil {
		tf.t.Fatalf("%v, want no changes\n%s", err, out)
	}
}

// serves expects the service to answer at the load balancer's name.
func (tf *terraform) serves(after string) {
	tf.t.Helper()
	at := must[*url.URL](tf.t)(url.Parse(tf.output("url")))
	eventually(tf.t, 30*time.Second, "the service to answer after "+after, func() error {
		req := must[*http.Request](tf.t)(http.NewRequestWithContext(tf.t.Context(), http.MethodGet, "http://127.0.0.1:"+at.Port()+"/", http.NoBody))
		req.Host = at.Host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("it answers %s", resp.Status)
		}
		return nil
	})
}

// pushExample pushes the example app's image.
func (tf *terraform) pushExample(image string) {
	tf.t.Helper()
	cmd := exec.CommandContext(tf.t.Context(), neargate(tf.t), "example-image", "push", image)
	cmd.Env = tf.env
	if out, err := cmd.CombinedOutput(); err != nil {
		tf.t.Fatalf("push %s: %v\n%s", image, err, out)
	}
}

// nothingLeft expects the server to know of no network but the default one.
func (tf *terraform) nothingLeft() {
	tf.t.Helper()
	for _, row := range []struct {
		action, element string
		want            int
	}{
		{"DescribeVpcs", "vpcId", 1},
		{"DescribeSecurityGroups", "groupName", 1},
		{"DescribeNetworkInterfaces", "networkInterfaceId", 0},
		{"DescribeAddresses", "allocationId", 0},
		{"DescribeInternetGateways", "internetGatewayId", 1},
		{"DescribeRouteTables", "vpcId", 1},
	} {
		answer := tf.s.ec2(row.action)
		if n := strings.Count(answer, "<"+row.element+">"); n != row.want {
			tf.t.Errorf("%s after destroy: %d of %s, want %d:\n%s", row.action, n, row.element, row.want, answer)
		}
	}
}
