package iam_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"neargate/internal/aws/iam"
	"neargate/internal/aws/sigv4"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/store"
)

// root is a key ring with the account's root in it.
type root struct{}

func (root) Key(id string) (sigv4.Key, bool) {
	return sigv4.Key{Secret: "secret", Caller: wire.Caller{ARN: "arn:aws:iam::000000000000:root", UserID: "000000000000"}}, id == "root"
}

// start serves IAM over the state at path, and gives a client of it.
func start(t *testing.T, path string) (client *sdk.Client, stop func()) {
	t.Helper()
	db, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := iam.Open(db, iam.Config{
		Place: model.Place{Region: "us-east-1", Account: "000000000000"}, Keys: openKeys(t), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	h := wire.NewHandler([]wire.Service{iam.New(s)}, sigv4.New(root{}, sigv4.Config{}), wire.Config{Log: slog.New(slog.DiscardHandler)})
	srv := httptest.NewServer(h)
	client = sdk.New(sdk.Options{
		BaseEndpoint: &srv.URL, Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("root", "secret", ""),
	})
	return client, func() { srv.Close(); _ = db.Close() }
}

func newClient(t *testing.T) *sdk.Client {
	t.Helper()
	client, stop := start(t, filepath.Join(t.TempDir(), "state.db"))
	t.Cleanup(stop)
	return client
}

const (
	trust     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	document  = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`
	execution = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
)

func createRole(t *testing.T, c *sdk.Client, name string) *types.Role {
	t.Helper()
	out, err := c.CreateRole(t.Context(), &sdk.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trust)})
	if err != nil {
		t.Fatalf("CreateRole: %v", err)
	}
	return out.Role
}

func TestRoleReadsBackAsMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	c, stop := start(t, path)
	ctx := t.Context()
	made, err := c.CreateRole(ctx, &sdk.CreateRoleInput{
		RoleName: aws.String("exec"), Path: aws.String("/team/"), AssumeRolePolicyDocument: aws.String(trust), Description: aws.String("d & e"),
		MaxSessionDuration: aws.Int32(7200), PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/PowerUserAccess"),
		Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}, {Key: aws.String("a"), Value: aws.String("")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	c, stop = start(t, path)
	defer stop()
	got, err := c.GetRole(ctx, &sdk.GetRoleInput{RoleName: aws.String("EXEC")})
	if err != nil {
		t.Fatal(err)
	}
	r := got.Role
	if *r.Arn != "arn:aws:iam::000000000000:role/team/exec" || len(*r.RoleId) != 21 || !strings.HasPrefix(*r.RoleId, "AROA") {
		t.Errorf("role %s with id %s", *r.Arn, *r.RoleId)
	}
	if text, err := url.QueryUnescape(*r.AssumeRolePolicyDocument); err != nil || text != trust || *r.AssumeRolePolicyDocument == trust {
		t.Errorf("trust policy %s, want it URL-encoded", *r.AssumeRolePolicyDocument)
	}
	if time.Since(*r.CreateDate) > time.Minute {
		t.Errorf("created at %s", r.CreateDate)
	}
	r.RoleLastUsed = nil
	if diff := cmp.Diff(made.Role, r, cmp.AllowUnexported(types.Role{}, types.Tag{}, types.AttachedPermissionsBoundary{})); diff != "" {
		t.Errorf("after a restart (-made +read):\n%s", diff)
	}
	tags, err := c.ListRoleTags(ctx, &sdk.ListRoleTagsInput{RoleName: aws.String("exec")})
	if err != nil || len(tags.Tags) != 2 || *tags.Tags[0].Key != "a" {
		t.Errorf("tags %+v, %v", tags, err)
	}
}

func TestRoleLifeOfAnECSScript(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	name := aws.String("ecsTaskExecutionRole")
	createRole(t, c, *name)
	steps := []struct {
		name string
		run  func() error
	}{
		{"attach", func() error {
			_, err := c.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{RoleName: name, PolicyArn: aws.String(execution)})
			return err
		}},
		{"attach again", func() error {
			_, err := c.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{RoleName: name, PolicyArn: aws.String(execution)})
			return err
		}},
		{"put inline", func() error {
			_, err := c.PutRolePolicy(ctx, &sdk.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("logs"), PolicyDocument: aws.String(document)})
			return err
		}},
		{"tag", func() error {
			_, err := c.TagRole(ctx, &sdk.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
			return err
		}},
		{"untag", func() error {
			_, err := c.UntagRole(ctx, &sdk.UntagRoleInput{RoleName: name, TagKeys: []string{"k", "other"}})
			return err
		}},
		{"update", func() error {
			_, err := c.UpdateRole(ctx, &sdk.UpdateRoleInput{RoleName: name, Description: aws.String("new")})
			return err
		}},
		{"update trust", func() error {
			_, err := c.UpdateAssumeRolePolicy(ctx, &sdk.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: aws.String(trust)})
			return err
		}},
		{"put boundary", func() error {
			_, err := c.PutRolePermissionsBoundary(ctx, &sdk.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: aws.String(execution)})
			return err
		}},
		{"delete boundary", func() error {
			_, err := c.DeleteRolePermissionsBoundary(ctx, &sdk.DeleteRolePermissionsBoundaryInput{RoleName: name})
			return err
		}},
	}
	for _, s := range steps {
		if err := s.run(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	attached, err := c.ListAttachedRolePolicies(ctx, &sdk.ListAttachedRolePoliciesInput{RoleName: name})
	if err != nil || len(attached.AttachedPolicies) != 1 || *attached.AttachedPolicies[0].PolicyName != "AmazonECSTaskExecutionRolePolicy" {
		t.Errorf("attached %+v, %v", attached, err)
	}
	inline, err := c.GetRolePolicy(ctx, &sdk.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("logs")})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := url.QueryUnescape(*inline.PolicyDocument); text != document {
		t.Errorf("inline policy %s", *inline.PolicyDocument)
	}
	got, err := c.GetRole(ctx, &sdk.GetRoleInput{RoleName: name})
	if err != nil || *got.Role.Description != "new" || len(got.Role.Tags) != 0 || got.Role.PermissionsBoundary != nil {
		t.Errorf("role %+v, %v", got, err)
	}
	profiles, err := c.ListInstanceProfilesForRole(ctx, &sdk.ListInstanceProfilesForRoleInput{RoleName: name})
	if err != nil || len(profiles.InstanceProfiles) != 0 {
		t.Errorf("instance profiles %+v, %v", profiles, err)
	}
	deleteRole := func() error { _, err := c.DeleteRole(ctx, &sdk.DeleteRoleInput{RoleName: name}); return err }
	wantError(t, "with a policy attached", deleteRole(), "DeleteConflict", 409, "Cannot delete entity, must detach all policies first.")
	if _, err := c.DetachRolePolicy(ctx, &sdk.DetachRolePolicyInput{RoleName: name, PolicyArn: aws.String(execution)}); err != nil {
		t.Fatal(err)
	}
	wantError(t, "with an inline policy", deleteRole(), "DeleteConflict", 409, "Cannot delete entity, must delete policies first.")
	if _, err := c.DeleteRolePolicy(ctx, &sdk.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("logs")}); err != nil {
		t.Fatal(err)
	}
	if err := deleteRole(); err != nil {
		t.Fatal(err)
	}
	wantError(t, "gone", deleteRole(), "NoSuchEntity", 404, "The role with name ecsTaskExecutionRole cannot be found.")
}

// wantError compares an error of the client with AWS's.
func wantError(t *testing.T, situation string, err error, code string, status int, msg string) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	res, hasStatus := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err)
	if !ok || !hasStatus || api.ErrorCode() != code || api.ErrorMessage() != msg || res.HTTPStatusCode() != status {
		t.Errorf("%s:\ngot  %v\nwant %d %s: %s", situation, err, status, code, msg)
	}
}

func TestRefusals(t *testing.T) {
	c := newClient(t)
	createRole(t, c, "taken")
	if _, err := c.CreateServiceLinkedRole(t.Context(), &sdk.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("ecs.amazonaws.com")}); err != nil {
		t.Fatal(err)
	}
	slr := aws.String("AWSServiceRoleForECS")
	role := func(change func(*sdk.CreateRoleInput)) func(context.Context) error {
		return func(ctx context.Context) error {
			in := &sdk.CreateRoleInput{RoleName: aws.String("fresh"), AssumeRolePolicyDocument: aws.String(trust)}
			change(in)
			_, err := c.CreateRole(ctx, in)
			return err
		}
	}
	for name, row := range map[string]struct {
		run    func(context.Context) error
		code   string
		status int
		msg    string
	}{
		"role exists": {
			role(func(in *sdk.CreateRoleInput) { in.RoleName = aws.String("Taken") }),
			"EntityAlreadyExists", 409, "Role with name Taken already exists.",
		},
		"role name with a slash": {
			role(func(in *sdk.CreateRoleInput) { in.RoleName = aws.String("a/b") }),
			"ValidationError", 400, "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
		},
		"session too short": {
			role(func(in *sdk.CreateRoleInput) { in.MaxSessionDuration = aws.Int32(60) }),
			"ValidationError", 400, "1 validation error detected: Value '60' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600",
		},
		"trust is no JSON": {
			role(func(in *sdk.CreateRoleInput) { in.AssumeRolePolicyDocument = aws.String("{") }),
			"MalformedPolicyDocument", 400, "This policy contains invalid Json",
		},
		"trust with a resource": {
			role(func(in *sdk.CreateRoleInput) { in.AssumeRolePolicyDocument = aws.String(document) }),
			"MalformedPolicyDocument", 400, "Has prohibited field Resource",
		},
		"boundary unknown": {
			role(func(in *sdk.CreateRoleInput) {
				in.PermissionsBoundary = aws.String("arn:aws:iam::000000000000:policy/no")
			}),
			"NoSuchEntity", 404, "Policy arn:aws:iam::000000000000:policy/no does not exist or is not attachable.",
		},
		"tag twice": {
			role(func(in *sdk.CreateRoleInput) {
				in.Tags = []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("A"), Value: aws.String("1")}}
			}),
			"InvalidInput", 400, "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
		},
		"inline policy with a principal": {func(ctx context.Context) error {
			_, err := c.PutRolePolicy(ctx, &sdk.PutRolePolicyInput{RoleName: aws.String("taken"), PolicyName: aws.String("p"), PolicyDocument: aws.String(trust)})
			return err
		}, "MalformedPolicyDocument", 400, "Policy document should not specify a principal."},
		"attach unknown policy": {func(ctx context.Context) error {
			_, err := c.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{RoleName: aws.String("taken"), PolicyArn: aws.String("arn:aws:iam::000000000000:policy/no")})
			return err
		}, "NoSuchEntity", 404, "Policy arn:aws:iam::000000000000:policy/no does not exist or is not attachable."},
		"detach what is not attached": {func(ctx context.Context) error {
			_, err := c.DetachRolePolicy(ctx, &sdk.DetachRolePolicyInput{RoleName: aws.String("taken"), PolicyArn: aws.String(execution)})
			return err
		}, "NoSuchEntity", 404, "Policy " + execution + " was not found."},
		"service's role deleted as one's own": {
			func(ctx context.Context) error {
				_, err := c.DeleteRole(ctx, &sdk.DeleteRoleInput{RoleName: slr})
				return err
			},
			"UnmodifiableEntity", 400, "Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role is only modifiable by AWS",
		},
		"service's role with longer sessions": {
			func(ctx context.Context) error {
				_, err := c.UpdateRole(ctx, &sdk.UpdateRoleInput{RoleName: slr, MaxSessionDuration: aws.Int32(7200)})
				return err
			},
			"UnmodifiableEntity", 400, "Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role is only modifiable by AWS",
		},
		"service's role changed": {
			func(ctx context.Context) error {
				_, err := c.UpdateAssumeRolePolicy(ctx, &sdk.UpdateAssumeRolePolicyInput{RoleName: slr, PolicyDocument: aws.String(trust)})
				return err
			},
			"UnmodifiableEntity", 400, "Cannot perform the operation on the protected role 'AWSServiceRoleForECS' - this role is only modifiable by AWS",
		},
		"service's role again": {func(ctx context.Context) error {
			_, err := c.CreateServiceLinkedRole(ctx, &sdk.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("ecs.amazonaws.com")})
			return err
		}, "InvalidInput", 400, "Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix."},
		"policy of AWS changed": {
			func(ctx context.Context) error {
				_, err := c.DeletePolicy(ctx, &sdk.DeletePolicyInput{PolicyArn: aws.String(execution)})
				return err
			},
			"AccessDenied", 403, "Policy " + execution + " is managed by AWS and cannot be changed.",
		},
		"policy that AWS does not have": {
			func(ctx context.Context) error {
				_, err := c.GetPolicy(ctx, &sdk.GetPolicyInput{PolicyArn: aws.String("arn:aws:iam::aws:policy/Bogus")})
				return err
			},
			"NoSuchEntity", 404, "Policy arn:aws:iam::aws:policy/Bogus was not found.",
		},
		"made-up marker": {
			func(ctx context.Context) error {
				_, err := c.ListRoles(ctx, &sdk.ListRolesInput{Marker: aws.String("!")})
				return err
			},
			"ValidationError", 400, "Invalid Marker.",
		},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, name, row.run(t.Context()), row.code, row.status, row.msg) })
	}
	out, err := c.ListRoles(t.Context(), &sdk.ListRolesInput{})
	if err != nil || len(out.Roles) != 2 {
		t.Errorf("after the refusals there are %d roles, %v; want 2", len(out.Roles), err)
	}
}

func TestManagedPolicyLife(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	createRole(t, c, "r")
	made, err := c.CreatePolicy(ctx, &sdk.CreatePolicyInput{PolicyName: aws.String("p"), Path: aws.String("/x/"), PolicyDocument: aws.String(document)})
	if err != nil {
		t.Fatal(err)
	}
	arn := made.Policy.Arn
	if *arn != "arn:aws:iam::000000000000:policy/x/p" {
		t.Errorf("policy %s", *arn)
	}
	_, err = c.CreatePolicy(ctx, &sdk.CreatePolicyInput{PolicyName: aws.String("P"), PolicyDocument: aws.String(document)})
	wantError(t, "same name", err, "EntityAlreadyExists", 409, "A policy called P already exists. Duplicate names are not allowed.")
	if _, err := c.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: arn}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetPolicy(ctx, &sdk.GetPolicyInput{PolicyArn: arn})
	if err != nil || *got.Policy.AttachmentCount != 1 || *got.Policy.DefaultVersionId != "v1" {
		t.Errorf("policy %+v, %v", got, err)
	}
	version, err := c.GetPolicyVersion(ctx, &sdk.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v1")})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := url.QueryUnescape(*version.PolicyVersion.Document); text != document {
		t.Errorf("document %s", *version.PolicyVersion.Document)
	}
	versions, err := c.ListPolicyVersions(ctx, &sdk.ListPolicyVersionsInput{PolicyArn: arn})
	if err != nil || len(versions.Versions) != 1 || !versions.Versions[0].IsDefaultVersion {
		t.Errorf("versions %+v, %v", versions, err)
	}
	for _, in := range []*sdk.ListPoliciesInput{{Scope: types.PolicyScopeTypeLocal}, {Scope: types.PolicyScopeTypeLocal, OnlyAttached: true}, {PathPrefix: aws.String("/x/")}} {
		if out, err := c.ListPolicies(ctx, in); err != nil || len(out.Policies) != 1 {
			t.Errorf("ListPolicies(%+v) = %+v, %v; want one", in, out, err)
		}
	}
	if out, err := c.ListPolicies(ctx, &sdk.ListPoliciesInput{Scope: types.PolicyScopeTypeAws}); err != nil || len(out.Policies) < 20 {
		t.Errorf("AWS's policies: %+v, %v; want those of stacks", out, err)
	}
	deletePolicy := func() error { _, err := c.DeletePolicy(ctx, &sdk.DeletePolicyInput{PolicyArn: arn}); return err }
	wantError(t, "attached", deletePolicy(), "DeleteConflict", 409, "Cannot delete a policy attached to entities.")
	if _, err := c.DetachRolePolicy(ctx, &sdk.DetachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: arn}); err != nil {
		t.Fatal(err)
	}
	if err := deletePolicy(); err != nil {
		t.Fatal(err)
	}
	wantError(t, "gone", deletePolicy(), "NoSuchEntity", 404, "Policy "+*arn+" was not found.")
}

func TestPolicyVersions(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	made, err := c.CreatePolicy(ctx, &sdk.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(document)})
	if err != nil {
		t.Fatal(err)
	}
	arn := made.Policy.Arn
	create := func() (*sdk.CreatePolicyVersionOutput, error) {
		return c.CreatePolicyVersion(ctx, &sdk.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: aws.String(document), SetAsDefault: true})
	}
	remove := func(id string) error {
		_, err := c.DeletePolicyVersion(ctx, &sdk.DeletePolicyVersionInput{PolicyArn: arn, VersionId: &id})
		return err
	}
	for _, id := range []string{"v2", "v3", "v4", "v5"} {
		if v, err := create(); err != nil || *v.PolicyVersion.VersionId != id || !v.PolicyVersion.IsDefaultVersion {
			t.Fatalf("version %+v, %v; want %s in force", v, err, id)
		}
	}
	_, err = create()
	wantError(t, "sixth", err, "LimitExceeded", 409, "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.")
	wantError(t, "the one in force", remove("v5"), "DeleteConflict", 409, "Cannot delete the default version of a policy.")
	wantError(t, "unknown", remove("v9"), "NoSuchEntity", 404, "Policy "+*arn+" version v9 does not exist or is not attachable.")
	if err := remove("v1"); err != nil {
		t.Fatal(err)
	}
	if v, err := create(); err != nil || *v.PolicyVersion.VersionId != "v6" {
		t.Errorf("version %+v, %v; want v6: numbers are not used again", v, err)
	}
	if _, err := c.SetDefaultPolicyVersion(ctx, &sdk.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.GetPolicy(ctx, &sdk.GetPolicyInput{PolicyArn: arn}); err != nil || *got.Policy.DefaultVersionId != "v2" {
		t.Errorf("policy %+v, %v; want v2 in force", got, err)
	}
	_, err = c.DeletePolicy(ctx, &sdk.DeletePolicyInput{PolicyArn: arn})
	wantError(t, "with versions", err, "DeleteConflict", 409,
		"This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
}

func TestInstanceProfileHoldsItsRole(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	createRole(t, c, "r")
	if _, err := c.CreateInstanceProfile(ctx, &sdk.CreateInstanceProfileInput{InstanceProfileName: aws.String("p")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddRoleToInstanceProfile(ctx, &sdk.AddRoleToInstanceProfileInput{InstanceProfileName: aws.String("p"), RoleName: aws.String("r")}); err != nil {
		t.Fatal(err)
	}
	got, err := c.ListInstanceProfilesForRole(ctx, &sdk.ListInstanceProfilesForRoleInput{RoleName: aws.String("r")})
	if err != nil || len(got.InstanceProfiles) != 1 || *got.InstanceProfiles[0].Roles[0].RoleName != "r" {
		t.Errorf("profiles %+v, %v", got, err)
	}
	_, err = c.DeleteRole(ctx, &sdk.DeleteRoleInput{RoleName: aws.String("r")})
	wantError(t, "role in a profile", err, "DeleteConflict", 409, "Cannot delete entity, must remove roles from instance profile first.")
	_, err = c.DeleteInstanceProfile(ctx, &sdk.DeleteInstanceProfileInput{InstanceProfileName: aws.String("p")})
	wantError(t, "profile with a role", err, "DeleteConflict", 409, "Cannot delete entity, must remove roles from instance profile first.")
	if _, err := c.RemoveRoleFromInstanceProfile(ctx, &sdk.RemoveRoleFromInstanceProfileInput{InstanceProfileName: aws.String("p"), RoleName: aws.String("r")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeleteInstanceProfile(ctx, &sdk.DeleteInstanceProfileInput{InstanceProfileName: aws.String("p")}); err != nil {
		t.Error(err)
	}
}

func TestServiceLinkedRoleComesAndGoes(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	for service, name := range map[string]string{
		"ecs.amazonaws.com":                         "AWSServiceRoleForECS",
		"ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
		"elasticloadbalancing.amazonaws.com":        "AWSServiceRoleForElasticLoadBalancing",
	} {
		made, err := c.CreateServiceLinkedRole(ctx, &sdk.CreateServiceLinkedRoleInput{AWSServiceName: &service})
		if err != nil {
			t.Fatal(err)
		}
		if want := "arn:aws:iam::000000000000:role/aws-service-role/" + service + "/" + name; *made.Role.Arn != want {
			t.Errorf("role %s, want %s", *made.Role.Arn, want)
		}
		describedAndTagged(t, c, name)
		gone, err := c.DeleteServiceLinkedRole(ctx, &sdk.DeleteServiceLinkedRoleInput{RoleName: &name})
		if err != nil {
			t.Fatal(err)
		}
		status, err := c.GetServiceLinkedRoleDeletionStatus(ctx, &sdk.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: gone.DeletionTaskId})
		if err != nil || status.Status != types.DeletionTaskStatusTypeSucceeded {
			t.Errorf("deletion %+v, %v", status, err)
		}
	}
	_, err := c.CreateServiceLinkedRole(ctx, &sdk.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("lex.amazonaws.com")})
	wantError(t, "unknown service", err, "InvalidInput", 400, "Service lex.amazonaws.com does not have a service-linked role here.")
}

// describedAndTagged changes what a customer may change of a service's role.
func describedAndTagged(t *testing.T, c *sdk.Client, name string) {
	t.Helper()
	ctx := t.Context()
	if _, err := c.TagRole(ctx, &sdk.TagRoleInput{RoleName: &name, Tags: []types.Tag{{Key: aws.String("Stage"), Value: aws.String("test")}, {Key: aws.String("Gone"), Value: aws.String("")}}}); err != nil {
		t.Error(err)
	}
	if _, err := c.UntagRole(ctx, &sdk.UntagRoleInput{RoleName: &name, TagKeys: []string{"Gone"}}); err != nil {
		t.Error(err)
	}
	if _, err := c.UpdateRole(ctx, &sdk.UpdateRoleInput{RoleName: &name, Description: aws.String("ours")}); err != nil {
		t.Error(err)
	}
	got, err := c.GetRole(ctx, &sdk.GetRoleInput{RoleName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Role; *r.Description != "ours" || len(r.Tags) != 1 || *r.Tags[0].Key != "Stage" {
		t.Errorf("role %s: description %q, tags %v", name, *r.Description, r.Tags)
	}
}

func TestListRolesInPages(t *testing.T) {
	c := newClient(t)
	for _, n := range []string{"c", "A", "b", "e", "D"} {
		createRole(t, c, n)
	}
	pages := sdk.NewListRolesPaginator(c, &sdk.ListRolesInput{MaxItems: aws.Int32(2)})
	var got []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Roles {
			got = append(got, *r.RoleName)
		}
	}
	if diff := cmp.Diff([]string{"A", "b", "c", "D", "e"}, got); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
}

func TestGetUserTellsTheRoot(t *testing.T) {
	c := newClient(t)
	out, err := c.GetUser(t.Context(), &sdk.GetUserInput{})
	if err != nil || *out.User.Arn != "arn:aws:iam::000000000000:root" {
		t.Errorf("user %+v, %v", out, err)
	}
	_, err = c.GetUser(t.Context(), &sdk.GetUserInput{UserName: aws.String("bob")})
	wantError(t, "IAM user", err, "NoSuchEntity", 404, "The user with name bob cannot be found.")
}

func TestListEntitiesForPolicy(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	createRole(t, c, "a")
	createRole(t, c, "B")
	createRole(t, c, "bounded")
	for _, name := range []string{"a", "B"} {
		if _, err := c.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{RoleName: &name, PolicyArn: aws.String(execution)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.PutRolePermissionsBoundary(ctx, &sdk.PutRolePermissionsBoundaryInput{RoleName: aws.String("bounded"), PermissionsBoundary: aws.String(execution)}); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		in   sdk.ListEntitiesForPolicyInput
		want []string
	}{
		"all":             {sdk.ListEntitiesForPolicyInput{}, []string{"a", "B", "bounded"}},
		"permissions":     {sdk.ListEntitiesForPolicyInput{PolicyUsageFilter: types.PolicyUsageTypePermissionsPolicy}, []string{"a", "B"}},
		"boundaries":      {sdk.ListEntitiesForPolicyInput{PolicyUsageFilter: types.PolicyUsageTypePermissionsBoundary}, []string{"bounded"}},
		"roles":           {sdk.ListEntitiesForPolicyInput{EntityFilter: types.EntityTypeRole}, []string{"a", "B", "bounded"}},
		"users":           {sdk.ListEntitiesForPolicyInput{EntityFilter: types.EntityTypeUser}, nil},
		"of another path": {sdk.ListEntitiesForPolicyInput{PathPrefix: aws.String("/other/")}, nil},
		"two at most":     {sdk.ListEntitiesForPolicyInput{MaxItems: aws.Int32(2)}, []string{"a", "B"}},
	} {
		row.in.PolicyArn = aws.String(execution)
		out, err := c.ListEntitiesForPolicy(ctx, &row.in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range out.PolicyRoles {
			got = append(got, *r.RoleName)
		}
		if diff := cmp.Diff(row.want, got); diff != "" || out.IsTruncated != (row.in.MaxItems != nil) {
			t.Errorf("%s: truncated %t (-want +got):\n%s", name, out.IsTruncated, diff)
		}
	}
	_, err := c.ListEntitiesForPolicy(ctx, &sdk.ListEntitiesForPolicyInput{PolicyArn: aws.String("arn:aws:iam::aws:policy/Bogus")})
	wantError(t, "no such policy", err, "NoSuchEntity", 404, "Policy arn:aws:iam::aws:policy/Bogus was not found.")
}
