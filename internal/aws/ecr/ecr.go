// Package ecr is the face of the image registry: Amazon ECR's API over package
// registry. It keeps nothing of its own. Layers are pushed and pulled by the
// OCI distribution protocol, which the registry serves itself.
package ecr

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/registry"
)

type service struct {
	reg      *registry.Registry
	place    model.Place
	endpoint string // URL that clients log in to
}

// New returns the face of a registry. endpoint is the URL at which
// Docker reaches the registry, e.g. "http://127.0.0.1:4566".
func New(reg *registry.Registry, place model.Place, endpoint string) wire.Service {
	s := &service{reg: reg, place: place, endpoint: endpoint}
	return wire.Service{
		SigningName:  "ecr",
		TargetPrefix: "AmazonEC2ContainerRegistry_V20150921",
		Style:        wire.LowerCamel,
		Refused:      refused(),
		Refuse:       wire.RefuseWith("InvalidParameterException"),
		Kept:         kept(),
		Operations: []wire.Operation{
			wire.Op("BatchDeleteImage", s.batchDeleteImage),
			wire.Op("BatchGetImage", s.batchGetImage),
			wire.Op("CreateRepository", s.createRepository),
			wire.Op("DeleteLifecyclePolicy", s.deleteLifecyclePolicy),
			wire.Op("DeleteRepository", s.deleteRepository),
			wire.Op("DeleteRepositoryPolicy", s.deleteRepositoryPolicy),
			wire.Op("DescribeImages", s.describeImages),
			wire.Op("DescribeRegistry", s.describeRegistry),
			wire.Op("DescribeRepositories", s.describeRepositories),
			wire.Op("GetAuthorizationToken", s.getAuthorizationToken),
			wire.Op("GetLifecyclePolicy", s.getLifecyclePolicy),
			wire.Op("GetLifecyclePolicyPreview", s.getLifecyclePolicyPreview),
			wire.Op("GetRepositoryPolicy", s.getRepositoryPolicy),
			wire.Op("ListImages", s.listImages),
			wire.Op("ListTagsForResource", s.listTagsForResource),
			wire.Op("PutImage", s.putImage),
			wire.Op("PutImageScanningConfiguration", s.putImageScanningConfiguration),
			wire.Op("PutImageTagMutability", s.putImageTagMutability),
			wire.Op("PutLifecyclePolicy", s.putLifecyclePolicy),
			wire.Op("SetRepositoryPolicy", s.setRepositoryPolicy),
			wire.Op("StartLifecyclePolicyPreview", s.startLifecyclePolicyPreview),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
		},
	}
}

// repositoryName returns the name an operation is about. A registry other than
// ours holds nothing.
func (s *service) repositoryName(registryID, name *string) (string, error) {
	if aws.ToString(name) == "" {
		return "", invalid("repositoryName", "must not be null")
	}
	if id := aws.ToString(registryID); id != "" && id != s.place.Account {
		return "", model.Errorf(model.NotFound, "RepositoryNotFoundException",
			"The repository with name '%s' does not exist in the registry with id '%s'", *name, id)
	}
	return *name, nil
}

func invalid(parameter, constraint string) error {
	return model.Errorf(model.Invalid, "InvalidParameterException",
		"Invalid parameter at '%s' failed to satisfy constraint: '%s'", parameter, constraint)
}

func (s *service) repository(r model.Repository) *types.Repository {
	return &types.Repository{
		CreatedAt:                  aws.Time(r.CreatedAt),
		EncryptionConfiguration:    &types.EncryptionConfiguration{EncryptionType: types.EncryptionTypeAes256},
		ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: r.ScanOnPush},
		ImageTagMutability:         types.ImageTagMutability(r.TagMutability),
		RegistryId:                 aws.String(s.place.Account),
		RepositoryArn:              aws.String(r.ARN),
		RepositoryName:             aws.String(r.Name),
		RepositoryUri:              aws.String(r.URI),
	}
}
