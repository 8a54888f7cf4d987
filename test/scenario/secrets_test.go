package scenario_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// TestSecretsReachTasksAlone: tasks have the values that their definition refers
// to, also after a rotation and the server's death; a missing one stops the
// start with its reason; and no value is anywhere on the disk, in /run, in a log
// or an answer.
func TestSecretsReachTasksAlone(t *testing.T) {
	data, listen := t.TempDir(), fmt.Sprint("127.0.0.1:", freePort(t))
	s := serve(t, data, "--listen", listen, "--log-level", "debug")
	c, v := newClient(s), newVault(t, s)
	ctx := t.Context()
	secret := v.secret("shop/db", `{"user":"me","password":"`+v.canary("first")+`"}`)
	v.parameter("/shop/token", v.canary("token"), ssmtypes.ParameterTypeSecureString)
	v.parameter("/shop/host", v.canary("host"), ssmtypes.ParameterTypeString)
	v.file("shop-config", "app.env", "# of the app\nFILE="+v.canary("file")+"\nPASSWORD=of the file\n")
	must[*ecs.CreateClusterOutput](t)(c.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}))
	image := c.push("promised", buildPromised(t))
	c.defineSecrets("web", image, map[string]string{
		"PASSWORD": secret + ":password::", "WHOLE": secret, "TOKEN": "/shop/token",
		"HOST": strings.Replace(secret[:strings.Index(secret, ":secret:")], "secretsmanager", "ssm", 1) + ":parameter/shop/host",
	}, "arn:aws:s3:::shop-config/app.env")
	want := func(password string) map[string]string {
		return map[string]string{
			"PASSWORD": v.values[password], "WHOLE": `{"user":"me","password":"` + v.values[password] + `"}`,
			"TOKEN": v.values["token"], "HOST": v.values["host"], "FILE": v.values["file"],
		}
	}
	c.service("web", "web", 1, "")
	c.stable("web")
	first := c.addresses("web")
	v.check(first[0], want("first"))

	v.rotate("shop/db", `{"user":"me","password":"`+v.canary("second")+`"}`)
	must[*ecs.UpdateServiceOutput](t)(c.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: aws.Int32(2)}))
	c.stable("web")
	v.check(first[0], want("first"))
	for _, ip := range c.addresses("web") {
		if ip != first[0] {
			v.check(ip, want("second"))
		}
	}
	s.stop(syscall.SIGKILL)
	s = serve(t, data, "--listen", listen, "--log-level", "debug")
	v.log = append(v.log, s.log)
	must[*ecs.UpdateServiceOutput](t)(c.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: aws.Int32(3)}))
	c.stable("web")
	v.check(first[0], want("first"))

	c.defineSecrets("bad", image, map[string]string{"PASSWORD": secret + ":passwort::"})
	c.service("bad", "bad", 1, "")
	c.stopsWith("bad", "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "+
		"unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets Manager did not contain json key passwort")
	c.defineSecrets("bad", image, nil, "arn:aws:s3:::shop-config/none.env")
	must[*ecs.UpdateServiceOutput](t)(c.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("bad"), TaskDefinition: aws.String("bad")}))
	c.stopsWith("bad", "ResourceInitializationError: failed to download env files: file download command: non empty error stream: NoSuchKey: The specified key does not exist.")
	v.absent("the answers", c.answers())
	v.search(data)
	destroy(t, s, c)
	v.search(data)
}

// vault is what the test keeps secret, and where it must not be.
type vault struct {
	t       *testing.T
	secrets *secretsmanager.Client
	ssm     *ssm.Client
	s3      *s3.Client
	values  map[string]string // canaries by name
	log     []*syncBuffer
}

func newVault(t *testing.T, s *server) *vault {
	t.Helper()
	keys := credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, "")
	return &vault{
		t: t, values: map[string]string{}, log: []*syncBuffer{s.log},
		secrets: secretsmanager.New(secretsmanager.Options{Region: s.Region, BaseEndpoint: &s.Endpoint, Credentials: keys}),
		ssm:     ssm.New(ssm.Options{Region: s.Region, BaseEndpoint: &s.Endpoint, Credentials: keys}),
		s3:      s3.New(s3.Options{Region: s.Region, BaseEndpoint: &s.Endpoint, Credentials: keys}),
	}
}

// canary makes a value that is nowhere else.
func (v *vault) canary(name string) string {
	v.values[name] = "canary-" + name + "-" + rand.Text()
	return v.values[name]
}

func (v *vault) secret(name, value string) (arn string) {
	v.t.Helper()
	return *must[*secretsmanager.CreateSecretOutput](v.t)(v.secrets.CreateSecret(v.t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value})).ARN
}

// file puts an object into a new bucket.
func (v *vault) file(bucket, key, content string) {
	v.t.Helper()
	must[*s3.CreateBucketOutput](v.t)(v.s3.CreateBucket(v.t.Context(), &s3.CreateBucketInput{Bucket: &bucket}))
	must[*s3.PutObjectOutput](v.t)(v.s3.PutObject(v.t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(content)}))
}

func (v *vault) rotate(name, value string) {
	v.t.Helper()
	must[*secretsmanager.PutSecretValueOutput](v.t)(v.secrets.PutSecretValue(v.t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &value}))
}

func (v *vault) parameter(name, value string, kind ssmtypes.ParameterType) {
	v.t.Helper()
	must[*ssm.PutParameterOutput](v.t)(v.ssm.PutParameter(v.t.Context(), &ssm.PutParameterInput{Name: &name, Value: &value, Type: kind}))
}

// check compares a task's variables, by the program in testdata/promised.
func (v *vault) check(ip string, want map[string]string) {
	v.t.Helper()
	var got map[string]string
	eventually(v.t, 10*time.Second, "an answer of "+ip, func() error {
		resp, err := http.Get("http://" + ip + ":8080/")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return json.NewDecoder(resp.Body).Decode(&got)
	})
	for name, value := range want {
		if sum := sha256.Sum256([]byte(value)); got[name] != hex.EncodeToString(sum[:]) {
			v.t.Errorf("%s of the task at %s is not %q", name, ip, value)
		}
	}
}

// search looks for the canaries wherever anything is written.
func (v *vault) search(data string) {
	v.t.Helper()
	files := 0
	for _, root := range []string{data, "/run/neargate"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
				return nil // gone meanwhile, or none
			}
			if err != nil {
				return err
			}
			content, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			files++
			v.absent(path, string(content))
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			v.t.Fatal(err)
		}
	}
	if files < 10 {
		v.t.Errorf("found %d files: this looks in the wrong place", files)
	}
	for _, log := range v.log {
		if !strings.Contains(log.String(), "api call") {
			v.t.Error("the server's log is not that of debug")
		}
		v.absent("the server's log", log.String())
	}
}

func (v *vault) absent(where, text string) {
	v.t.Helper()
	for name, value := range v.values {
		if strings.Contains(text, value) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(value))) {
			v.t.Errorf("the value %s is in %s", name, where)
		}
	}
}

// answers are what the API tells of everything, as text.
func (c *client) answers() string {
	c.t.Helper()
	ctx := c.t.Context()
	var all []any
	for _, family := range []string{"web", "bad"} {
		all = append(all, must[*ecs.DescribeTaskDefinitionOutput](c.t)(c.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(family)})))
	}
	all = append(all, must[*ecs.DescribeServicesOutput](c.t)(c.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{"web", "bad"}})))
	for _, status := range []ecstypes.DesiredStatus{ecstypes.DesiredStatusRunning, ecstypes.DesiredStatusStopped} {
		all = append(all, c.tasks("web", status), c.tasks("bad", status))
	}
	return string(must[[]byte](c.t)(json.Marshal(all)))
}

// addresses are those of a service's running tasks.
func (c *client) addresses(service string) (ips []string) {
	c.t.Helper()
	for _, task := range c.tasks(service, ecstypes.DesiredStatusRunning) {
		ips = append(ips, addressOf(task))
	}
	return ips
}

// defineSecrets registers a definition whose variables are secrets and in files.
func (c *client) defineSecrets(family, image string, from map[string]string, files ...string) {
	c.t.Helper()
	def := ecstypes.ContainerDefinition{
		Name: aws.String("app"), Image: aws.String(image), PortMappings: []ecstypes.PortMapping{{ContainerPort: aws.Int32(8080)}},
	}
	for _, arn := range files {
		def.EnvironmentFiles = append(def.EnvironmentFiles, ecstypes.EnvironmentFile{Type: ecstypes.EnvironmentFileTypeS3, Value: &arn})
	}
	for name, valueFrom := range from {
		def.Secrets = append(def.Secrets, ecstypes.Secret{Name: &name, ValueFrom: &valueFrom})
	}
	must[*ecs.RegisterTaskDefinitionOutput](c.t)(c.ecs.RegisterTaskDefinition(c.t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &family, NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		ExecutionRoleArn: aws.String("arn:aws:iam::000000000000:role/exec"), ContainerDefinitions: []ecstypes.ContainerDefinition{def},
	}))
}

// buildPromised builds the program in testdata/promised.
func buildPromised(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "promised")
	build := exec.Command("go", "build", "-o", exe, "./testdata/promised")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return exe
}
