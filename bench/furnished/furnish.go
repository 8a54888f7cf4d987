package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"neargate/bench/rig"
	"neargate/internal/cli/demo"
)

const (
	trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	all   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

// bench is a server with the definitions of both kinds of tasks.
type bench struct {
	ecs    *ecs.Client
	subnet string
}

// furnish creates what the tasks refer to, and their definitions.
func furnish(ctx context.Context, s *rig.Server) (*bench, error) {
	b := &bench{ecs: ecs.NewFromConfig(s.Config())}
	network, err := demo.FindNetwork(ctx, demo.Server{Endpoint: s.Endpoint, Region: s.Region, AccessKey: s.AccessKey, SecretKey: s.SecretKey})
	if err != nil {
		return nil, err
	}
	b.subnet = network.Subnets[0]
	if _, err := b.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}); err != nil {
		return nil, err
	}
	image, err := s.PushProgram(ctx, "task")
	if err != nil {
		return nil, err
	}
	if err := b.register(ctx, plainTask, types.ContainerDefinition{Image: &image}, ecs.RegisterTaskDefinitionInput{}); err != nil {
		return nil, err
	}
	container, definition := types.ContainerDefinition{Image: &image}, ecs.RegisterTaskDefinitionInput{}
	for _, add := range []func(context.Context, *rig.Server, *types.ContainerDefinition, *ecs.RegisterTaskDefinitionInput) error{
		addRole, addSecrets, addFile, b.addVolumes,
	} {
		if err := add(ctx, s, &container, &definition); err != nil {
			return nil, err
		}
	}
	return b, b.register(ctx, furnishedTask, container, definition)
}

func (b *bench) register(ctx context.Context, kind string, c types.ContainerDefinition, d ecs.RegisterTaskDefinitionInput) error {
	c.Name, c.EntryPoint = aws.String("task"), []string{rig.Program, kind}
	d.Family, d.NetworkMode, d.Cpu, d.Memory = aws.String(kind), types.NetworkModeAwsvpc, aws.String("1024"), aws.String("2048")
	d.ContainerDefinitions = []types.ContainerDefinition{c}
	if _, err := b.ecs.RegisterTaskDefinition(ctx, &d); err != nil {
		return fmt.Errorf("register the %s task: %w", kind, err)
	}
	return nil
}

func addRole(ctx context.Context, s *rig.Server, _ *types.ContainerDefinition, d *ecs.RegisterTaskDefinitionInput) error {
	c := iam.NewFromConfig(s.Config())
	role, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("task"), AssumeRolePolicyDocument: aws.String(trust)})
	if err != nil {
		return err
	}
	d.TaskRoleArn, d.ExecutionRoleArn = role.Role.Arn, role.Role.Arn
	_, err = c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("task"), PolicyName: aws.String("all"), PolicyDocument: aws.String(all)})
	return err
}

func addSecrets(ctx context.Context, s *rig.Server, c *types.ContainerDefinition, _ *ecs.RegisterTaskDefinitionInput) error {
	vault, store := secretsmanager.NewFromConfig(s.Config()), ssm.NewFromConfig(s.Config())
	for i := range secrets {
		made, err := vault.CreateSecret(ctx, &secretsmanager.CreateSecretInput{
			Name: aws.String(fmt.Sprintf("bench/secret-%d", i)), SecretString: aws.String(`{"user":"me","key":"value"}`),
		})
		if err != nil {
			return err
		}
		c.Secrets = append(c.Secrets, types.Secret{Name: aws.String(variable("SECRET", i)), ValueFrom: aws.String(*made.ARN + ":key::")})
	}
	for i := range parameters {
		name := fmt.Sprintf("/bench/parameter-%d", i)
		if _, err := store.PutParameter(ctx, &ssm.PutParameterInput{Name: &name, Value: aws.String("value"), Type: ssmtypes.ParameterTypeSecureString}); err != nil {
			return err
		}
		c.Secrets = append(c.Secrets, types.Secret{Name: aws.String(variable("PARAMETER", i)), ValueFrom: &name})
	}
	return nil
}

func addFile(ctx context.Context, s *rig.Server, c *types.ContainerDefinition, _ *ecs.RegisterTaskDefinitionInput) error {
	files := s3.NewFromConfig(s.Config(), func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := files.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("bench")}); err != nil {
		return err
	}
	if _, err := files.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bench"), Key: aws.String("task.env"), Body: strings.NewReader("OF_FILE=value\n")}); err != nil {
		return err
	}
	c.EnvironmentFiles = []types.EnvironmentFile{{Type: types.EnvironmentFileTypeS3, Value: aws.String("arn:aws:s3:::bench/task.env")}}
	return nil
}

func (b *bench) addVolumes(ctx context.Context, s *rig.Server, c *types.ContainerDefinition, d *ecs.RegisterTaskDefinitionInput) error {
	systems := efs.NewFromConfig(s.Config())
	fs, err := systems.CreateFileSystem(ctx, &efs.CreateFileSystemInput{CreationToken: aws.String("bench")})
	if err != nil {
		return err
	}
	if _, err := systems.CreateMountTarget(ctx, &efs.CreateMountTargetInput{FileSystemId: fs.FileSystemId, SubnetId: &b.subnet}); err != nil {
		return err
	}
	d.Volumes = []types.Volume{
		{Name: aws.String("scratch")},
		{Name: aws.String("shared"), EfsVolumeConfiguration: &types.EFSVolumeConfiguration{FileSystemId: fs.FileSystemId}},
	}
	c.MountPoints = []types.MountPoint{
		{SourceVolume: aws.String("scratch"), ContainerPath: aws.String(scratch)},
		{SourceVolume: aws.String("shared"), ContainerPath: aws.String(shared)},
	}
	return nil
}
