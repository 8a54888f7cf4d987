package efs

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/efs/types"

	"neargate/internal/aws/sigv4"
	"neargate/internal/aws/wire"
	"neargate/internal/filesystem"
	"neargate/internal/model"
	"neargate/internal/store"
)

// one is the one key that there is.
type one struct{}

func (one) Key(accessKey string) (sigv4.Key, bool) {
	return sigv4.Key{Secret: "secret", Caller: wire.Caller{AccessKey: accessKey}}, true
}

// oneVPC has every subnet and security group.
type oneVPC struct{}

func (oneVPC) Subnet(id string) (vpcID, zone string, ok bool) {
	return "vpc-1", "us-east-1a", strings.HasPrefix(id, "subnet-")
}

func (oneVPC) GroupVPC(id string) (vpcID string, ok bool) {
	return "vpc-1", strings.HasPrefix(id, "sg-")
}

// newClient returns an SDK client of the face over HTTP, whose signatures are
// checked.
func newClient(t *testing.T) *efs.Client {
	t.Helper()
	place := model.Place{Region: "us-east-1", Account: "000000000000"}
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	systems, err := filesystem.Open(db, filesystem.Config{
		Dir: filepath.Join(t.TempDir(), "efs"), Place: place,
		Networks: oneVPC{},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	verifier := sigv4.New(one{}, sigv4.Config{Region: place.Region})
	server := httptest.NewServer(wire.NewHandler([]wire.Service{New(systems, place)}, verifier, wire.Config{Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return efs.New(efs.Options{
		Region: place.Region, BaseEndpoint: aws.String(server.URL), HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret"}, nil
		}),
	})
}

func TestSDKClientRunsAFileSystemToItsEnd(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	made, err := c.CreateFileSystem(ctx, &efs.CreateFileSystemInput{
		CreationToken: aws.String("token"), Encrypted: aws.Bool(true), Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("data")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	id := made.FileSystemId
	_, err = c.CreateFileSystem(ctx, &efs.CreateFileSystemInput{CreationToken: aws.String("token")})
	if _, ok := errors.AsType[*types.FileSystemAlreadyExists](err); !ok {
		t.Errorf("a token twice: got %v", err)
	}
	target, err := c.CreateMountTarget(ctx, &efs.CreateMountTargetInput{FileSystemId: id, SubnetId: aws.String("subnet-1"), SecurityGroups: []string{"sg-1"}})
	if err != nil || *target.VpcId != "vpc-1" || target.LifeCycleState != types.LifeCycleStateAvailable {
		t.Fatalf("mount target: %+v, %v", target, err)
	}
	point, err := c.CreateAccessPoint(ctx, &efs.CreateAccessPointInput{
		FileSystemId: id, ClientToken: aws.String("p"), PosixUser: &types.PosixUser{Uid: aws.Int64(1000), Gid: aws.Int64(1000)},
		RootDirectory: &types.RootDirectory{
			Path: aws.String("/data"), CreationInfo: &types.CreationInfo{OwnerUid: aws.Int64(1000), OwnerGid: aws.Int64(1000), Permissions: aws.String("0755")},
		},
	})
	if err != nil || *point.RootDirectory.CreationInfo.Permissions != "0755" || *point.PosixUser.Uid != 1000 {
		t.Fatalf("access point: %+v, %v", point, err)
	}
	if _, err := c.TagResource(ctx, &efs.TagResourceInput{ResourceId: point.AccessPointArn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}, {Key: aws.String("c"), Value: aws.String("d")}}}); err != nil {
		t.Error(err)
	}
	if _, err := c.UntagResource(ctx, &efs.UntagResourceInput{ResourceId: point.AccessPointArn, TagKeys: []string{"a", "x"}}); err != nil {
		t.Error(err)
	}
	tags, err := c.ListTagsForResource(ctx, &efs.ListTagsForResourceInput{ResourceId: point.AccessPointId})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "c" {
		t.Errorf("tags: %+v, %v", tags, err)
	}
	described, err := c.DescribeFileSystems(ctx, &efs.DescribeFileSystemsInput{CreationToken: aws.String("token"), MaxItems: aws.Int32(5)})
	if err != nil || len(described.FileSystems) != 1 || *described.FileSystems[0].Name != "data" || described.FileSystems[0].NumberOfMountTargets != 1 {
		t.Errorf("described: %+v, %v", described, err)
	}
	lifecycle, err := c.PutLifecycleConfiguration(ctx, &efs.PutLifecycleConfigurationInput{FileSystemId: id, LifecyclePolicies: []types.LifecyclePolicy{{TransitionToIA: types.TransitionToIARulesAfter30Days}}})
	if err != nil || len(lifecycle.LifecyclePolicies) != 1 {
		t.Errorf("lifecycle: %+v, %v", lifecycle, err)
	}
	_, err = c.DescribeFileSystemPolicy(ctx, &efs.DescribeFileSystemPolicyInput{FileSystemId: id})
	if _, ok := errors.AsType[*types.PolicyNotFound](err); !ok {
		t.Errorf("no policy: got %v", err)
	}
	_, err = c.DeleteFileSystem(ctx, &efs.DeleteFileSystemInput{FileSystemId: id})
	if _, ok := errors.AsType[*types.FileSystemInUse](err); !ok {
		t.Errorf("in use: got %v", err)
	}
	if _, err := c.ModifyMountTargetSecurityGroups(ctx, &efs.ModifyMountTargetSecurityGroupsInput{MountTargetId: target.MountTargetId, SecurityGroups: []string{"sg-2"}}); err != nil {
		t.Error(err)
	}
	groups, err := c.DescribeMountTargetSecurityGroups(ctx, &efs.DescribeMountTargetSecurityGroupsInput{MountTargetId: target.MountTargetId})
	if err != nil || len(groups.SecurityGroups) != 1 || groups.SecurityGroups[0] != "sg-2" {
		t.Errorf("groups: %+v, %v", groups, err)
	}
	for name, err := range map[string]error{
		"access point": drop(c.DeleteAccessPoint(ctx, &efs.DeleteAccessPointInput{AccessPointId: point.AccessPointId})),
		"mount target": drop(c.DeleteMountTarget(ctx, &efs.DeleteMountTargetInput{MountTargetId: target.MountTargetId})),
	} {
		if err != nil {
			t.Errorf("delete %s: %v", name, err)
		}
	}
	if _, err := c.DeleteFileSystem(ctx, &efs.DeleteFileSystemInput{FileSystemId: id}); err != nil {
		t.Error(err)
	}
	_, err = c.DescribeFileSystems(ctx, &efs.DescribeFileSystemsInput{FileSystemId: id})
	if _, ok := errors.AsType[*types.FileSystemNotFound](err); !ok {
		t.Errorf("deleted: got %v", err)
	}
}

func drop[T any](_ T, err error) error { return err }
