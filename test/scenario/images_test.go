package scenario_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/cli/appimage"
)

// privateRegistry is Debian's docker-registry; who is me with s3cret may use it.
type privateRegistry struct {
	t    *testing.T
	host string
	cmd  *exec.Cmd
}

func newPrivateRegistry(t *testing.T) *privateRegistry {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Skip("needs docker-registry: apt-get install docker-registry")
	}
	dir, host := t.TempDir(), fmt.Sprint("127.0.0.1:", freePort(t))
	for name, content := range map[string]string{
		"htpasswd": "me:$2b$04$lENmD5xxnLVflDwjN9lvXuanIiQ6YGwxbZD.S.a2B5Gi9OTC8hbmW\n",
		"config.yml": "version: 0.1\nlog: {accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: " + dir + "/data}}\n" +
			"http: {addr: '" + host + "'}\nauth: {htpasswd: {realm: test, path: " + dir + "/htpasswd}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := &privateRegistry{t: t, host: host, cmd: exec.CommandContext(context.WithoutCancel(t.Context()), program, "serve", dir+"/config.yml")}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	eventually(t, 10*time.Second, "docker-registry to listen", func() error {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	return r
}

func (r *privateRegistry) stop() {
	if r.cmd.ProcessState == nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
	}
}

// push pushes an image of a program and returns its name and digest.
func (r *privateRegistry) push(exe, name, tag string) (image, digest string) {
	r.t.Helper()
	to := appimage.Repository{URI: r.host + "/" + name, User: "me", Password: "s3cret"}
	return to.URI + ":" + tag, must[string](r.t)(appimage.Push(r.t.Context(), to, tag, exe))
}

// images are the digests that the tasks of a service run.
func (c *client) images(service string) map[string]bool {
	all := map[string]bool{}
	for _, task := range c.tasks(service, ecstypes.DesiredStatusRunning) {
		all[aws.ToString(task.Containers[0].ImageDigest)] = true
	}
	return all
}

// TestImagesOfAnotherRegistry: a service runs an image of a private registry by
// its definition's credentials, one digest a deployment; what cannot be pulled
// stops tasks in ECS's words; and an image from a file needs no registry at all.
func TestImagesOfAnotherRegistry(t *testing.T) {
	reg := newPrivateRegistry(t)
	s := serve(t, t.TempDir())
	c, v := newClient(s), newVault(t, s)
	ctx := t.Context()
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))
	defer destroy(t, s, c)
	secret := v.secret("registry", `{"username":"me","password":"s3cret"}`)
	define := func(family, image, secret string) {
		def := ecstypes.ContainerDefinition{
			Name: aws.String("app"), Image: aws.String(image),
			RepositoryCredentials: &ecstypes.RepositoryCredentials{CredentialsParameter: aws.String(secret)},
		}
		must[*ecs.RegisterTaskDefinitionOutput](t)(c.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
			Family: aws.String(family), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
			RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
			ExecutionRoleArn:        aws.String("arn:aws:iam::000000000000:role/exec"),
			ContainerDefinitions:    []ecstypes.ContainerDefinition{def},
		}))
	}
	expect := func(digest string) {
		t.Helper()
		eventually(t, 30*time.Second, "all tasks to run "+digest, func() error {
			if got := c.images("web"); len(got) != 1 || !got[digest] {
				return fmt.Errorf("they run %v; events: %s", got, messages(c.describe("web")))
			}
			return nil
		})
	}
	image, old := reg.push(neargate(t), "shop/web", "v1")
	define("web", image, secret)
	c.service("web", "web", 1, "")
	c.stable("web")
	expect(old)

	// The tag moves: the deployment stays, the next one follows.
	_, moved := reg.push(buildPromised(t), "shop/web", "v1")
	must[*ecs.UpdateServiceOutput](t)(c.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: aws.Int32(2)}))
	c.stable("web")
	expect(old)
	must[*ecs.UpdateServiceOutput](t)(c.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("web"), ForceNewDeployment: true}))
	expect(moved)

	// What cannot be pulled.
	for _, row := range []struct{ name, image, secret, reason string }{
		{"no such tag", reg.host + "/shop/web:nosuch", secret, "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref " + reg.host + "/shop/web:nosuch: " + reg.host + "/shop/web:nosuch: not found"},
		{"another password", image, v.secret("wrong", `{"username":"me","password":"other"}`), "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref " + image + ": pull access denied, repository does not exist or may require authorization: server message: "},
		{"no such secret", image, secret + "x", "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: "},
	} {
		define("bad", row.image, row.secret)
		c.service("bad", "bad", 1, "")
		c.stopsWith("bad", row.reason)
		eventually(t, 10*time.Second, row.name+": an event with the reason", func() error {
			if said := messages(c.describe("bad")); !strings.Contains(said, row.reason[:60]) {
				return fmt.Errorf("events: %s", said)
			}
			return nil
		})
		c.delete("bad")
	}
	unnamed, _ := reg.push(neargate(t), "shop/old", "v1") // no tag that the server knows names it any more
	t.Run("from a file", func(t *testing.T) { loadedImage(t, s, c, reg, unnamed) })
	expect(moved) // nothing of it has touched the service
}

// loadedImage runs a service with an image from a file when the registry is gone.
func loadedImage(t *testing.T, s *server, c *client, reg *privateRegistry, image string) {
	t.Helper()
	skopeo, err := exec.LookPath("skopeo")
	if err != nil {
		t.Skip("needs skopeo: apt-get install skopeo")
	}
	file := filepath.Join(t.TempDir(), "image.tar")
	copying := exec.Command(skopeo, "copy", "--quiet", "--src-tls-verify=false", "--src-creds", "me:s3cret", "docker://"+image, "docker-archive:"+file+":ghcr.io/me/loaded:v1")
	if out, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("skopeo: %v\n%s", err, out)
	}
	reg.stop()
	ask := func(want string, args ...string) {
		t.Helper()
		out, err := exec.Command(neargate(t), append([]string{"image", "--data", s.data}, args...)...).CombinedOutput()
		if (err == nil) != (want != "" && !strings.HasPrefix(want, "neargate: ")) || !strings.Contains(string(out), want) {
			t.Errorf("neargate image %s: %v, %s, want %q", strings.Join(args, " "), err, out, want)
		}
	}
	ask("ghcr.io/me/loaded:v1@sha256:", "load", file)
	here := *c
	here.t = t
	here.define("again", "ghcr.io/me/loaded:v1", nil)
	here.service("again", "again", 1, "")
	here.stable("again")
	ask("ghcr.io/me/loaded:v1", "ls")
	ask("neargate: image ghcr.io/me/loaded:v1 is in use: ", "rm", "ghcr.io/me/loaded:v1")
	here.delete("again")
	eventually(t, 20*time.Second, "the task to end", func() error {
		if n := len(here.tasks("again", ecstypes.DesiredStatusRunning)); n > 0 {
			return fmt.Errorf("%d tasks", n)
		}
		out, err := exec.Command(neargate(t), "image", "--data", s.data, "rm", "ghcr.io/me/loaded:v1").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
	ask("neargate: there is no pulled or loaded image ghcr.io/me/loaded:v1", "rm", "ghcr.io/me/loaded:v1")
}
