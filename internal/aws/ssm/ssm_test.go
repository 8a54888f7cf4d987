package ssm_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	face "neargate/internal/aws/ssm"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/secrets"
	"neargate/internal/session"
	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// anyone lets every request in.
type anyone struct{}

func (anyone) Authenticate(*http.Request, string) (wire.Signature, error) {
	return func([]byte) (wire.Caller, error) {
		return wire.Caller{ARN: "arn:aws:iam::000000000000:user/me"}, nil
	}, nil
}

// newClient returns an SDK client of a fresh parameter store.
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
	p, err := secrets.OpenParameters(db, secrets.Config{Key: key, Place: model.Place{Region: "us-east-1", Account: "000000000000"}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(wire.NewHandler([]wire.Service{face.New(p, session.New(nil, nil, slog.New(slog.DiscardHandler)))}, anyone{}, wire.Config{Log: slog.New(slog.DiscardHandler)}))
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

func put(t *testing.T, c *sdk.Client, name, value string, change ...func(*sdk.PutParameterInput)) string {
	t.Helper()
	in := &sdk.PutParameterInput{Name: &name, Value: &value, Type: types.ParameterTypeString}
	for _, f := range change {
		f(in)
	}
	out, err := c.PutParameter(t.Context(), in)
	if err != nil {
		return said(err)
	}
	return fmt.Sprint(out.Version, " ", out.Tier)
}

func secure(in *sdk.PutParameterInput)    { in.Type = types.ParameterTypeSecureString }
func overwrite(in *sdk.PutParameterInput) { in.Overwrite, in.Type = aws.Bool(true), "" }

func TestPutParameter(t *testing.T) {
	c := newClient(t)
	tagged := func(in *sdk.PutParameterInput) {
		in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
	}
	pattern := func(in *sdk.PutParameterInput) { in.AllowedPattern = aws.String("^[0-9]+$") }
	tier := func(t types.ParameterTier) func(*sdk.PutParameterInput) {
		return func(in *sdk.PutParameterInput) { in.Tier = t }
	}
	long := strings.Repeat("x", 4097)
	for _, row := range []struct {
		name, parameter, value string
		change                 []func(*sdk.PutParameterInput)
		want                   string // the beginning
	}{
		{"new", "plain", "1", nil, "1 Standard"},
		{"again", "plain", "2", nil, "ParameterAlreadyExists: The parameter already exists. To overwrite this value, set the overwrite option in the request to true."},
		{"over it", "plain", "2", []func(*sdk.PutParameterInput){overwrite}, "2 Standard"},
		{"new in spite of overwrite", "/a/b", "1", []func(*sdk.PutParameterInput){func(in *sdk.PutParameterInput) { in.Overwrite = aws.Bool(true) }}, "1 Standard"},
		{"with tags", "/a/c", "1", []func(*sdk.PutParameterInput){tagged}, "1 Standard"},
		{"over it with tags", "/a/c", "1", []func(*sdk.PutParameterInput){overwrite, tagged}, "ValidationException: Invalid request: tags and overwrite can't be used together."},
		{"another kind of value", "/a/c", "1", []func(*sdk.PutParameterInput){overwrite, secure}, "HierarchyTypeMismatchException: "},
		{"without a type", "/a/d", "1", []func(*sdk.PutParameterInput){overwrite}, "ValidationException: A parameter type is required when you create a parameter."},
		{"a pattern", "/n", "12", []func(*sdk.PutParameterInput){pattern}, "1 Standard"},
		{"what the pattern forbids", "/n", "twelve", []func(*sdk.PutParameterInput){overwrite}, "ParameterPatternMismatchException: Parameter value, cannot be validated against allowedPattern: ^[0-9]+$"},
		{"too long", "/l", long, nil, "ValidationException: Standard tier parameters support a maximum parameter value of 4096 characters."},
		{"long", "/l", long, []func(*sdk.PutParameterInput){tier(types.ParameterTierIntelligentTiering)}, "1 Advanced"},
		{"short again", "/l", "x", []func(*sdk.PutParameterInput){overwrite}, "2 Advanced"},
		{"reserved", "/aws/x", "1", nil, "AccessDeniedException: No access to reserved parameter name: /aws/x."},
		{"reserved word", "ssmx", "1", nil, `ValidationException: Parameter name: can't be prefixed with "aws" or "ssm"`},
		{"a letter that no name has", "a b", "1", nil, `ValidationException: Parameter name: can't be prefixed with "aws" or "ssm"`},
		{"half a path", "a/b", "1", nil, "ValidationException: Parameter name must be a fully qualified name."},
		{"too deep", strings.Repeat("/x", 16), "1", nil, "HierarchyLevelLimitExceededException: "},
	} {
		if got := put(t, c, row.parameter, row.value, row.change...); !strings.HasPrefix(got, row.want) || len(row.want) == 0 {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

func TestGetParameter(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	put(t, c, "/db/host", "h1")
	put(t, c, "/db/host", "h2", overwrite)
	put(t, c, "/db/password", "hidden", secure)
	if _, err := c.LabelParameterVersion(ctx, &sdk.LabelParameterVersionInput{Name: aws.String("/db/host"), ParameterVersion: aws.Int64(1), Labels: []string{"old", "9"}}); err != nil {
		t.Fatal(err)
	}
	get := func(name string, decrypt bool) string {
		t.Helper()
		out, err := c.GetParameter(ctx, &sdk.GetParameterInput{Name: &name, WithDecryption: &decrypt})
		if err != nil {
			return said(err)
		}
		return *out.Parameter.Value
	}
	for _, row := range []struct {
		name, reference string
		want            string
	}{
		{"newest", "/db/host", "h2"},
		{"a version", "/db/host:1", "h1"},
		{"a label", "/db/host:old", "h1"},
		{"an ARN", "arn:aws:ssm:us-east-1:000000000000:parameter/db/host", "h2"},
		{"an ARN with a version", "arn:aws:ssm:us-east-1:000000000000:parameter/db/host:1", "h1"},
		{"an ARN of another account", "arn:aws:ssm:us-east-1:000000000001:parameter/db/host", "ParameterNotFound: "},
		{"no such parameter", "/db", "ParameterNotFound: "},
		{"no such version", "/db/host:3", "ParameterVersionNotFound: Systems Manager could not find version 3 of /db/host. Verify the version and try again."},
		{"decrypted", "/db/password", "hidden"},
	} {
		if got := get(row.reference, true); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
	if got := get("/db/password", false); got == "" || strings.Contains(got, "hidden") {
		t.Errorf("a SecureString without decryption is %q", got)
	}
	many, err := c.GetParameters(ctx, &sdk.GetParametersInput{Names: []string{"/db/host", "/gone"}})
	if err != nil || len(many.Parameters) != 1 || len(many.InvalidParameters) != 1 || many.InvalidParameters[0] != "/gone" {
		t.Errorf("got %+v, %v", many, err)
	}
	history, err := c.GetParameterHistory(ctx, &sdk.GetParameterHistoryInput{Name: aws.String("/db/host")})
	if err != nil || len(history.Parameters) != 2 || *history.Parameters[0].Value != "h1" || len(history.Parameters[0].Labels) != 1 {
		t.Errorf("history: %+v, %v", history, err)
	}
}

func TestPathsAndFilters(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	for i := range 12 {
		put(t, c, fmt.Sprintf("/app/p%02d", i), "v")
	}
	put(t, c, "/app/deep/one", "v", secure)
	put(t, c, "/apple", "v")
	put(t, c, "plain", "v", func(in *sdk.PutParameterInput) {
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("x")}}
	})
	path := func(path string, recursive bool) int {
		t.Helper()
		n := 0
		for pages := sdk.NewGetParametersByPathPaginator(c, &sdk.GetParametersByPathInput{Path: &path, Recursive: &recursive}); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			n += len(page.Parameters)
		}
		return n
	}
	for _, row := range []struct {
		path      string
		recursive bool
		want      int
	}{{"/app", false, 12}, {"/app/", false, 12}, {"/app", true, 13}, {"/", false, 2}, {"/", true, 15}, {"/gone", true, 0}} {
		if got := path(row.path, row.recursive); got != row.want {
			t.Errorf("%+v: got %d", row, got)
		}
	}
	for _, row := range []struct {
		key, option, value string
		want               string
	}{
		{"Name", "Equals", "plain", "1"},
		{"Name", "", "plain", "1"},
		{"Name", "BeginsWith", "/app", "14"},
		{"Name", "Contains", "deep", "1"},
		{"Type", "Equals", "SecureString", "1"},
		{"Path", "Recursive", "/app", "13"},
		{"Path", "OneLevel", "/app", "12"},
		{"tag:team", "Equals", "x", "1"},
		{"Colour", "Equals", "x", "InvalidFilterKey"},
		{"Name", "Like", "x", "InvalidFilterOption"},
	} {
		f := types.ParameterStringFilter{Key: &row.key, Values: []string{row.value}}
		if row.option != "" {
			f.Option = &row.option
		}
		out, err := c.DescribeParameters(ctx, &sdk.DescribeParametersInput{MaxResults: aws.Int32(50), ParameterFilters: []types.ParameterStringFilter{f}})
		got, _, _ := strings.Cut(said(err), ":")
		if err == nil {
			got = fmt.Sprint(len(out.Parameters))
		}
		if got != row.want {
			t.Errorf("%+v: got %s", row, got)
		}
	}
	out, err := c.DescribeParameters(ctx, &sdk.DescribeParametersInput{Filters: []types.ParametersFilter{{Key: types.ParametersFilterKeyName, Values: []string{"plain"}}}})
	if err != nil || len(out.Parameters) != 1 || aws.ToString(out.Parameters[0].LastModifiedUser) != "arn:aws:iam::000000000000:user/me" {
		t.Errorf("the older filter: %+v, %v", out, err)
	}
}

func TestTagsAndDeletion(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	put(t, c, "/a", "v")
	put(t, c, "/b", "v")
	tags := func() string {
		out, err := c.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: aws.String("/a")})
		if err != nil {
			return said(err)
		}
		all := ""
		for _, tag := range out.TagList {
			all += *tag.Key + "=" + *tag.Value + " "
		}
		return all
	}
	if _, err := c.AddTagsToResource(ctx, &sdk.AddTagsToResourceInput{
		ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: aws.String("/a"),
		Tags: []types.Tag{{Key: aws.String("x"), Value: aws.String("1")}, {Key: aws.String("y"), Value: aws.String("2")}},
	}); err != nil {
		t.Error(err)
	}
	if _, err := c.RemoveTagsFromResource(ctx, &sdk.RemoveTagsFromResourceInput{
		ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: aws.String("/a"), TagKeys: []string{"x"},
	}); err != nil {
		t.Error(err)
	}
	if got := tags(); got != "y=2 " {
		t.Errorf("tags: %q", got)
	}
	out, err := c.DeleteParameters(ctx, &sdk.DeleteParametersInput{Names: []string{"/a", "/gone"}})
	if err != nil || len(out.DeletedParameters) != 1 || len(out.InvalidParameters) != 1 {
		t.Errorf("got %+v, %v", out, err)
	}
	if got := tags(); !strings.HasPrefix(got, "InvalidResourceId: ") {
		t.Errorf("tags of a deleted parameter: %q", got)
	}
	for _, want := range []string{"", "ParameterNotFound: "} {
		if _, err := c.DeleteParameter(ctx, &sdk.DeleteParameterInput{Name: aws.String("/b")}); said(err) != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A hundred versions are kept; the oldest goes unless it has a label.
func TestHistoryIsBounded(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	put(t, c, "/a", "v")
	for range 100 {
		put(t, c, "/a", "v", overwrite)
	}
	if _, err := c.GetParameter(ctx, &sdk.GetParameterInput{Name: aws.String("/a:1")}); !strings.HasPrefix(said(err), "ParameterVersionNotFound") {
		t.Errorf("the first of 101: %v", err)
	}
	if _, err := c.LabelParameterVersion(ctx, &sdk.LabelParameterVersionInput{Name: aws.String("/a"), ParameterVersion: aws.Int64(2), Labels: []string{"keep"}}); err != nil {
		t.Fatal(err)
	}
	if got := put(t, c, "/a", "v", overwrite); !strings.HasPrefix(got, "ParameterMaxVersionLimitExceeded: ") {
		t.Errorf("the oldest has a label: %q", got)
	}
}

// TestSessions: what AWS's plugin asks when its connection was cut.
func TestSessions(t *testing.T) {
	c := newClient(t)
	id := aws.String("ecs-execute-command-0123456789abcdef0")
	resumed, err := c.ResumeSession(t.Context(), &sdk.ResumeSessionInput{SessionId: id})
	if err != nil || *resumed.SessionId != *id || resumed.TokenValue != nil {
		t.Errorf("got %+v and %v, want no token", resumed, err)
	}
	ended, err := c.TerminateSession(t.Context(), &sdk.TerminateSessionInput{SessionId: id})
	if err != nil || *ended.SessionId != *id {
		t.Errorf("got %+v and %v", ended, err)
	}
}
