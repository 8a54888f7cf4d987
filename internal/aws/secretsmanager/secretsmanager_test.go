package secretsmanager_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	face "neargate/internal/aws/secretsmanager"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/secrets"
	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// anyone lets every request in.
type anyone struct{}

func (anyone) Authenticate(*http.Request, string) (wire.Signature, error) {
	return func([]byte) (wire.Caller, error) { return wire.Caller{}, nil }, nil
}

// newClient returns an SDK client of fresh secrets.
func newClient(t *testing.T) *sdk.Client {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	key, err := sealed.OpenKey(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := secrets.Open(db, secrets.Config{Key: key, Place: model.Place{Region: "us-east-1", Account: "000000000000"}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(wire.NewHandler([]wire.Service{face.New(s)}, anyone{}, wire.Config{Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(srv.Close)
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(srv.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), HTTPClient: srv.Client(),
	})
}

func said(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode() + ": " + e.ErrorMessage()
	}
	return ""
}

func TestVersionsAndStages(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	first, err := c.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String("shop/db"), SecretString: aws.String("one"), Description: aws.String("d")})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(*first.ARN, "arn:aws:secretsmanager:us-east-1:000000000000:secret:shop/db-") || len(*first.ARN) != len("arn:aws:secretsmanager:us-east-1:000000000000:secret:shop/db-")+6 {
		t.Errorf("the ARN is %s", *first.ARN)
	}
	second, err := c.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: first.ARN, SecretString: aws.String("two")})
	if err != nil {
		t.Fatal(err)
	}
	pending, err := c.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: first.ARN, SecretBinary: []byte{0, 1, 255}, VersionStages: []string{"AWSPENDING"}})
	if err != nil {
		t.Fatal(err)
	}
	value := func(in sdk.GetSecretValueInput) string {
		t.Helper()
		if in.SecretId == nil {
			in.SecretId = aws.String("shop/db")
		}
		out, err := c.GetSecretValue(ctx, &in)
		if err != nil {
			return said(err)
		}
		return aws.ToString(out.SecretString) + string(out.SecretBinary)
	}
	const unnamed = "arn:aws:secretsmanager:us-east-1:000000000000:secret:shop/db"
	for _, row := range []struct {
		name string
		in   sdk.GetSecretValueInput
		want string
	}{
		{"current", sdk.GetSecretValueInput{}, "two"},
		{"by ARN", sdk.GetSecretValueInput{SecretId: first.ARN}, "two"},
		{"by ARN without its end", sdk.GetSecretValueInput{SecretId: aws.String(unnamed)}, "two"},
		{"previous", sdk.GetSecretValueInput{VersionStage: aws.String("AWSPREVIOUS")}, "one"},
		{"pending", sdk.GetSecretValueInput{VersionStage: aws.String("AWSPENDING")}, "\x00\x01\xff"},
		{"by version", sdk.GetSecretValueInput{VersionId: first.VersionId}, "one"},
		{"by both", sdk.GetSecretValueInput{VersionId: second.VersionId, VersionStage: aws.String("AWSCURRENT")}, "two"},
		{"by both that differ", sdk.GetSecretValueInput{VersionId: first.VersionId, VersionStage: aws.String("AWSCURRENT")}, "InvalidRequestException: You provided a VersionStage that is not associated to the provided VersionId."},
		{"no such stage", sdk.GetSecretValueInput{VersionStage: aws.String("MINE")}, "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: MINE"},
		{"no such version", sdk.GetSecretValueInput{VersionId: aws.String(strings.Repeat("0", 36))}, "ResourceNotFoundException: Secrets Manager can't find the specified secret value for VersionId: " + strings.Repeat("0", 36)},
		{"no such secret", sdk.GetSecretValueInput{SecretId: aws.String("other")}, "ResourceNotFoundException: Secrets Manager can't find the specified secret."},
		{"another's ARN", sdk.GetSecretValueInput{SecretId: aws.String(unnamed + "-abcdef")}, "ResourceNotFoundException: Secrets Manager can't find the specified secret."},
	} {
		if got := value(row.in); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	move := func(from, to *string) string {
		_, err := c.UpdateSecretVersionStage(ctx, &sdk.UpdateSecretVersionStageInput{
			SecretId: first.ARN, VersionStage: aws.String("AWSCURRENT"), RemoveFromVersionId: from, MoveToVersionId: to,
		})
		return said(err)
	}
	if got := move(nil, pending.VersionId); !strings.HasPrefix(got, "InvalidParameterException: The parameter RemoveFromVersionId can't be empty.") {
		t.Errorf("moved a label without its holder: %q", got)
	}
	if got := move(second.VersionId, nil); !strings.HasPrefix(got, "InvalidParameterException: You can only move staging label AWSCURRENT") {
		t.Errorf("took AWSCURRENT away: %q", got)
	}
	if got := move(second.VersionId, pending.VersionId); got != "" {
		t.Errorf("move: %s", got)
	}
	described, err := c.DescribeSecret(ctx, &sdk.DescribeSecretInput{SecretId: first.ARN})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{*second.VersionId: {"AWSPREVIOUS"}, *pending.VersionId: {"AWSPENDING", "AWSCURRENT"}}
	if diff := cmp.Diff(want, described.VersionIdsToStages); diff != "" {
		t.Error(diff)
	}
	ids, err := c.ListSecretVersionIds(ctx, &sdk.ListSecretVersionIdsInput{SecretId: first.ARN, IncludeDeprecated: aws.Bool(true)})
	if err != nil || len(ids.Versions) != 3 {
		t.Errorf("versions: %+v, %v", ids, err)
	}
}

// The same call again is the same version, and none can be changed.
func TestClientRequestToken(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	token := aws.String(strings.Repeat("t", 32))
	create := func(value string) (string, error) {
		out, err := c.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String("s"), SecretString: &value, ClientRequestToken: token})
		if err != nil {
			return "", err
		}
		return *out.ARN, nil
	}
	first, err := create("one")
	again, err2 := create("one")
	if err != nil || err2 != nil || first != again {
		t.Errorf("created %s and %s, %v and %v", first, again, err, err2)
	}
	if _, err := create("two"); said(err) != "ResourceExistsException: The operation failed because the secret s already exists." {
		t.Errorf("another value: %v", err)
	}
	_, err = c.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: aws.String("s"), SecretString: aws.String("two"), ClientRequestToken: token})
	if said(err) != "ResourceExistsException: You can't modify an existing version, you can only create a new version." {
		t.Errorf("another value of a version: %v", err)
	}
	if _, err := c.UpdateSecret(ctx, &sdk.UpdateSecretInput{SecretId: aws.String("s"), SecretString: aws.String("two"), Description: aws.String("new")}); err != nil {
		t.Error(err)
	}
	if out, err := c.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: aws.String("s")}); err != nil || *out.SecretString != "two" {
		t.Errorf("after the update: %+v, %v", out, err)
	}
}

func TestDeletion(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	id := aws.String("s")
	create := func() string {
		_, err := c.CreateSecret(ctx, &sdk.CreateSecretInput{Name: id, SecretString: aws.String("one")})
		return said(err)
	}
	if got := create(); got != "" {
		t.Fatal(got)
	}
	for _, in := range []sdk.DeleteSecretInput{
		{RecoveryWindowInDays: aws.Int64(6)},
		{RecoveryWindowInDays: aws.Int64(31)},
		{RecoveryWindowInDays: aws.Int64(7), ForceDeleteWithoutRecovery: aws.Bool(true)},
	} {
		in.SecretId = id
		if _, err := c.DeleteSecret(ctx, &in); !strings.HasPrefix(said(err), "InvalidParameterException: ") {
			t.Errorf("got %v", err)
		}
	}
	deleted, err := c.DeleteSecret(ctx, &sdk.DeleteSecretInput{SecretId: id, RecoveryWindowInDays: aws.Int64(7)})
	if err != nil {
		t.Fatal(err)
	}
	const marked = "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion."
	if _, err := c.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: id}); said(err) != marked {
		t.Errorf("the value of a deleted secret: %v", err)
	}
	if got := create(); got != "InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion." {
		t.Errorf("created anew: %q", got)
	}
	if d, err := c.DescribeSecret(ctx, &sdk.DescribeSecretInput{SecretId: id}); err != nil || d.DeletedDate == nil || deleted.DeletionDate.Sub(*d.DeletedDate).Hours() != 7*24 {
		t.Errorf("described: %+v, %v", d, err)
	}
	for planned, want := range map[bool]int{false: 0, true: 1} {
		if l, err := c.ListSecrets(ctx, &sdk.ListSecretsInput{IncludePlannedDeletion: aws.Bool(planned)}); err != nil || len(l.SecretList) != want {
			t.Errorf("listed with planned %v: %+v, %v", planned, l, err)
		}
	}
	if _, err := c.RestoreSecret(ctx, &sdk.RestoreSecretInput{SecretId: id}); err != nil {
		t.Error(err)
	}
	if v, err := c.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: id}); err != nil || *v.SecretString != "one" {
		t.Errorf("restored: %+v, %v", v, err)
	}
	for range 2 { // the second finds nothing, which is no error
		if _, err := c.DeleteSecret(ctx, &sdk.DeleteSecretInput{SecretId: id, ForceDeleteWithoutRecovery: aws.Bool(true)}); err != nil {
			t.Error(err)
		}
	}
	if got := create(); got != "" {
		t.Errorf("after its end: %s", got)
	}
}

func TestListBatchAndTags(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	for _, name := range []string{"b", "a", "c", "other"} {
		_, err := c.CreateSecret(ctx, &sdk.CreateSecretInput{
			Name: aws.String(name), SecretString: aws.String("of " + name), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("t" + name)}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	names := func(in sdk.ListSecretsInput) string {
		t.Helper()
		in.MaxResults = aws.Int32(2)
		var all []string
		for pages := sdk.NewListSecretsPaginator(c, &in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return said(err)
			}
			for _, s := range page.SecretList {
				all = append(all, *s.Name)
			}
		}
		return strings.Join(all, " ")
	}
	filter := func(key types.FilterNameStringType, values ...string) sdk.ListSecretsInput {
		return sdk.ListSecretsInput{Filters: []types.Filter{{Key: key, Values: values}}, SortBy: types.SortByTypeName}
	}
	for _, row := range []struct {
		name string
		in   sdk.ListSecretsInput
		want string
	}{
		{"the newest first", sdk.ListSecretsInput{}, "other c a b"},
		{"the oldest first", sdk.ListSecretsInput{SortOrder: types.SortOrderTypeAsc}, "b a c other"},
		{"by name", sdk.ListSecretsInput{SortBy: types.SortByTypeName}, "a b c other"},
		{"by name, down", sdk.ListSecretsInput{SortBy: types.SortByTypeName, SortOrder: types.SortOrderTypeDesc}, "other c b a"},
		{"names that begin so", filter(types.FilterNameStringTypeName, "o", "a"), "a other"},
		{"names that do not", filter(types.FilterNameStringTypeName, "!o"), "a b c"},
		{"a tag's value", filter(types.FilterNameStringTypeTagValue, "tb"), "b"},
		{"a tag's key", filter(types.FilterNameStringTypeTagKey, "te"), "a b c other"},
		{"no such filter", filter("colour", "red"), "InvalidParameterException: Invalid filter key 'colour'."},
	} {
		if got := names(row.in); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	batch, err := c.BatchGetSecretValue(ctx, &sdk.BatchGetSecretValueInput{SecretIdList: []string{"a", "gone", "b"}})
	if err != nil || len(batch.SecretValues) != 2 || *batch.SecretValues[1].SecretString != "of b" || len(batch.Errors) != 1 || *batch.Errors[0].SecretId != "gone" {
		t.Errorf("batch: %+v, %v", batch, err)
	}
	if _, err := c.TagResource(ctx, &sdk.TagResourceInput{SecretId: aws.String("a"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("x")}, {Key: aws.String("new")}}}); err != nil {
		t.Error(err)
	}
	if _, err := c.UntagResource(ctx, &sdk.UntagResourceInput{SecretId: aws.String("a"), TagKeys: []string{"new"}}); err != nil {
		t.Error(err)
	}
	if d, err := c.DescribeSecret(ctx, &sdk.DescribeSecretInput{SecretId: aws.String("a")}); err != nil || len(d.Tags) != 1 || *d.Tags[0].Value != "x" {
		t.Errorf("tags: %+v, %v", d, err)
	}
}

func TestResourcePolicy(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	id := aws.String("s")
	if _, err := c.CreateSecret(ctx, &sdk.CreateSecretInput{Name: id}); err != nil {
		t.Fatal(err)
	}
	if p, err := c.GetResourcePolicy(ctx, &sdk.GetResourcePolicyInput{SecretId: id}); err != nil || p.ResourcePolicy != nil {
		t.Errorf("without one: %+v, %v", p, err)
	}
	if _, err := c.PutResourcePolicy(ctx, &sdk.PutResourcePolicyInput{SecretId: id, ResourcePolicy: aws.String("{")}); said(err) != "MalformedPolicyDocumentException: This resource policy contains a syntax error." {
		t.Errorf("half a policy: %v", err)
	}
	if _, err := c.PutResourcePolicy(ctx, &sdk.PutResourcePolicyInput{SecretId: id, ResourcePolicy: aws.String(`{"Statement":[]}`)}); err != nil {
		t.Error(err)
	}
	if p, err := c.GetResourcePolicy(ctx, &sdk.GetResourcePolicyInput{SecretId: id}); err != nil || aws.ToString(p.ResourcePolicy) != `{"Statement":[]}` {
		t.Errorf("got %+v, %v", p, err)
	}
}

// No value of a secret stands in an error, not even of a call that is refused.
func TestValuesAreNotInErrors(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	const canary = "canary-4711"
	long := strings.Repeat(canary, 10_000)
	for name, call := range map[string]func() error{
		"too long": func() error {
			_, err := c.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String("s"), SecretString: &long})
			return err
		},
		"binary that is too long": func() error {
			_, err := c.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String("s"), SecretBinary: []byte(long)})
			return err
		},
		"two values": func() error {
			_, err := c.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String("s"), SecretString: aws.String(canary), SecretBinary: []byte(canary)})
			return err
		},
		"no such secret": func() error {
			_, err := c.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: aws.String("s"), SecretString: aws.String(canary)})
			return err
		},
	} {
		if err := call(); said(err) == "" || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRandomPassword(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	draw := func(in sdk.GetRandomPasswordInput) string {
		t.Helper()
		out, err := c.GetRandomPassword(ctx, &in)
		if err != nil {
			return said(err)
		}
		return *out.RandomPassword
	}
	for range 20 {
		p := draw(sdk.GetRandomPasswordInput{PasswordLength: aws.Int64(5), IncludeSpace: aws.Bool(true)})
		for kind, is := range map[string]func(rune) bool{"lower": unicode.IsLower, "upper": unicode.IsUpper, "digit": unicode.IsDigit, "space": unicode.IsSpace} {
			if strings.IndexFunc(p, is) < 0 || len(p) != 5 {
				t.Errorf("%q has no %s", p, kind)
			}
		}
	}
	if p := draw(sdk.GetRandomPasswordInput{ExcludePunctuation: aws.Bool(true), ExcludeNumbers: aws.Bool(true), ExcludeCharacters: aws.String("aeiou")}); len(p) != 32 ||
		slices.ContainsFunc([]rune(p), func(r rune) bool { return !unicode.IsLetter(r) || strings.ContainsRune("aeiou", r) }) {
		t.Errorf("got %q", p)
	}
	if p := draw(sdk.GetRandomPasswordInput{PasswordLength: aws.Int64(2)}); !strings.HasPrefix(p, "InvalidParameterException: ") {
		t.Errorf("two characters of four types: %q", p)
	}
}
