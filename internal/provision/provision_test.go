package provision_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
	"neargate/internal/provision"
)

// kept are texts by what names them: secrets by "ARN VERSION STAGE".
type kept struct {
	texts map[string]string
	reads map[string]int
}

func (k kept) SecretText(_ context.Context, secret, version, stage string) (string, error) {
	return k.text(secret+" "+version+" "+stage, "Secrets Manager can't find the specified secret.")
}

func (k kept) ParameterText(_ context.Context, name string) (string, error) { return k.text(name, "") }

func (k kept) text(name, missing string) (string, error) {
	k.reads[name]++
	text, ok := k.texts[name]
	if !ok {
		return "", model.Errorf(model.NotFound, "ResourceNotFoundException", "%s", missing)
	}
	return text, nil
}

const (
	secret  = "arn:aws:secretsmanager:us-east-1:000000000000:secret:shop/db-AbCdEf"
	version = "11111111-2222-3333-4444-555555555555"
)

func newKept() kept {
	return kept{map[string]string{
		secret + "  ":                    `{"user":"me","port":5432,"deep":{"a":[1,2]},"empty":""}`,
		secret + "  AWSPREVIOUS":         "before",
		secret + "  LIST":                `["before"]`,
		secret + "  HALF":                `{"before"`,
		secret + "  QUOTE":               `{'before': 1}`,
		secret + " " + version + " ":     "third",
		secret + " " + version + " MINE": `{"a.b":"dotted"}`,
		"/shop/host":                     "h",
		"host":                           "plain",
		"arn:aws:ssm:us-east-1:000000000000:parameter/shop/host": "by arn",
	}, map[string]int{}}
}

// prepared returns what a container's variables hold that refers to from.
func prepared(t *testing.T, k kept, from ...string) ([]string, error) {
	t.Helper()
	spec := model.TaskSpec{Containers: make([]model.ContainerSpec, len(from))}
	for i, ref := range from {
		spec.Containers[i].Env = []model.KeyValue{{Name: "X", Value: "of the definition"}, {Name: "Y", Value: "y"}}
		spec.Containers[i].Secrets = []model.SecretReference{{Name: "X", ValueFrom: ref}}
	}
	err := provision.New(k, nil, nil).Prepare(t.Context(), model.Task{ARN: "arn:aws:ecs:us-east-1:000000000000:task/c/1"}, model.TaskDefinition{}, &spec)
	var all []string
	for _, c := range spec.Containers {
		if len(c.Env) != 2 {
			t.Errorf("the variables are %v", c.Env)
		}
		all = append(all, c.Env[0].Value)
	}
	return all, err
}

// Amazon ECS developer guide, secrets-envvar-secrets-manager and
// secrets-envvar-ssm-paramstore: the forms of valueFrom.
func TestReferences(t *testing.T) {
	for _, row := range []struct{ name, from, want string }{
		{"a whole secret", secret, `{"user":"me","port":5432,"deep":{"a":[1,2]},"empty":""}`},
		{"a key", secret + ":user::", "me"},
		{"a number", secret + ":port::", "5432"},
		{"an object", secret + ":deep::", `{"a":[1,2]}`},
		{"an empty member", secret + ":empty::", ""},
		{"a stage", secret + "::AWSPREVIOUS:", "before"},
		{"a version", secret + ":::" + version, "third"},
		{"a key of a stage and version", secret + ":a.b:MINE:" + version, "dotted"},
		{"a parameter's name", "host", "plain"},
		{"a parameter's path", "/shop/host", "h"},
		{"a parameter's ARN", "arn:aws:ssm:us-east-1:000000000000:parameter/shop/host", "by arn"},
	} {
		if got, err := prepared(t, newKept(), row.from); err != nil || got[0] != row.want {
			t.Errorf("%s: got %q, %v", row.name, got, err)
		}
	}
}

// Fargate's words, as they are in public reports of stopped tasks.
func TestWhatCannotBeLookedUp(t *testing.T) {
	const (
		start = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
		asm   = start + "unable to retrieve secret from asm: service call has been retried 1 time(s): "
	)
	for _, row := range []struct{ name, from, want string }{
		{"no such secret", secret + "x", asm + "failed to fetch secret " + secret + "x from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."},
		{"no such key", secret + ":password::", asm + "retrieved secret from Secrets Manager did not contain json key password"},
		{"no JSON", secret + ":a:AWSPREVIOUS:", asm + "invalid character '…' looking for beginning of value"},
		{"a list", secret + ":a:LIST:", asm + "json: cannot unmarshal array into Go value of type map[string]interface {}"},
		{"half of an object", secret + ":a:HALF:", asm + "unexpected end of JSON input"},
		{"a quote that is none", secret + ":a:QUOTE:", asm + "invalid character '…' looking for beginning of object key string"},
		{"half the parameters", secret + ":a", start + "unable to retrieve secret from asm: unexpected ARN format with parameters when trying to retrieve ASM secret"},
		{"no such parameter", "/shop/gone", start + "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /shop/gone"},
		{"a parameter of another region", "arn:aws:ssm:eu-west-1:000000000000:parameter/shop/host", start + "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: arn:aws:ssm:eu-west-1:000000000000:parameter/shop/host (this server has the parameters of us-east-1 alone)"},
	} {
		_, err := prepared(t, newKept(), row.from)
		e, ok := errors.AsType[*model.Error](err)
		if !ok || e.Error() != row.want {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
		if err != nil && (strings.Contains(err.Error(), "before") || strings.Contains(err.Error(), "5432")) {
			t.Errorf("%s: the error has a value: %v", row.name, err)
		}
	}
}

// A secret that changes while a task starts is the same for all its containers.
func TestSecretIsReadOnce(t *testing.T) {
	k := newKept()
	if _, err := prepared(t, k, secret+":user::", secret+":port::", secret, "host", "host"); err != nil {
		t.Fatal(err)
	}
	if k.reads[secret+"  "] != 1 || k.reads["host"] != 1 {
		t.Errorf("read %v", k.reads)
	}
}

// objects are contents by BUCKET/KEY.
type objects map[string]string

func (o objects) File(_ context.Context, bucket, key string, _ int64) (string, error) {
	text, ok := o[bucket+"/"+key]
	if !ok {
		return "", model.Errorf(model.NotFound, "NoSuchKey", "The specified key does not exist.")
	}
	return text, nil
}

// Amazon ECS developer guide, "use-environment-file", and the agent's own reading
// of a line.
func TestEnvironmentFiles(t *testing.T) {
	files := objects{
		"b/first.env": "# a comment\nPLAIN=a value \nQUOTED=\"as it is\"\nEMPTY=\n=none\nNOTHING\n URL=http://x/?a=b\nTWICE=1\nTWICE=2\nDEFINED=file\n" +
			"SECRET=file\r\nODD==x\nBOTH=first\nLAST=without an end",
		"b/second.env": "BOTH=second\nMORE=yes\n",
	}
	spec := model.TaskSpec{Containers: []model.ContainerSpec{{
		Env: []model.KeyValue{{Name: "DEFINED", Value: "definition"}},
		ContainerDefinition: model.ContainerDefinition{
			EnvironmentFiles: []string{"arn:aws:s3:::b/first.env", "arn:aws:s3:::b/second.env"},
			Secrets:          []model.SecretReference{{Name: "SECRET", ValueFrom: "host"}},
			Log:              model.LogConfig{SecretOptions: []model.SecretReference{{Name: "token", ValueFrom: "/shop/host"}}},
		},
	}}}
	p := provision.New(newKept(), files, nil)
	if err := p.Prepare(t.Context(), model.Task{}, model.TaskDefinition{}, &spec); err != nil {
		t.Fatal(err)
	}
	want := []model.KeyValue{
		{Name: "DEFINED", Value: "definition"},
		{Name: "PLAIN", Value: "a value "},
		{Name: "QUOTED", Value: `"as it is"`},
		{Name: " URL", Value: "http://x/?a=b"},
		{Name: "TWICE", Value: "2"},
		{Name: "SECRET", Value: "plain"},
		{Name: "BOTH", Value: "first"},
		{Name: "LAST", Value: "without an end"},
		{Name: "MORE", Value: "yes"},
	}
	if diff := cmp.Diff(want, spec.Containers[0].Env); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]model.KeyValue{{Name: "token", Value: "h"}}, spec.Containers[0].LogSecrets); diff != "" {
		t.Error(diff)
	}
	spec.Containers[0].EnvironmentFiles = []string{"arn:aws:s3:::b/none.env"}
	err := p.Prepare(t.Context(), model.Task{}, model.TaskDefinition{}, &spec)
	if err == nil || err.Error() != "ResourceInitializationError: failed to download env files: file download command: non empty error stream: NoSuchKey: The specified key does not exist." {
		t.Errorf("no such file: %v", err)
	}
	spec.Containers[0].EnvironmentFiles = nil
	spec.Containers[0].Log.SecretOptions[0].ValueFrom = "gone"
	if err := p.Prepare(t.Context(), model.Task{}, model.TaskDefinition{}, &spec); err == nil || !strings.HasSuffix(err.Error(), "invalid ssm parameters: gone") {
		t.Errorf("no such option: %v", err)
	}
}
