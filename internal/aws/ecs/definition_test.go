package ecs

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"neargate/internal/model"
)

func TestRegisterTaskDefinitionEchoesWithDefaults(t *testing.T) {
	s, _ := newFace(t)
	in := definition(func(in *ecs.RegisterTaskDefinitionInput) {
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}}
		in.Volumes = []types.Volume{{Name: aws.String("v"), Host: &types.HostVolumeProperties{}}}
		in.ContainerDefinitions[0].MountPoints = []types.MountPoint{{SourceVolume: aws.String("v"), ContainerPath: aws.String("/v"), ReadOnly: aws.Bool(true)}}
		in.ContainerDefinitions[0].DockerLabels = map[string]string{"a": "b"}
		in.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}}
	})
	out, err := s.registerTaskDefinition(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := types.ContainerDefinition{
		Name: aws.String("app"), Image: aws.String("web:1"), Essential: aws.Bool(true), DockerLabels: map[string]string{"a": "b"},
		Environment: []types.KeyValuePair{}, MountPoints: []types.MountPoint{{SourceVolume: aws.String("v"), ContainerPath: aws.String("/v"), ReadOnly: aws.Bool(true)}}, VolumesFrom: []types.VolumeFrom{}, SystemControls: []types.SystemControl{},
		PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(8080), Protocol: "tcp"}},
		HealthCheck:  &types.HealthCheck{Command: []string{"CMD", "true"}, Interval: aws.Int32(30), Timeout: aws.Int32(5), Retries: aws.Int32(3)},
	}
	if diff := cmp.Diff(want, out.TaskDefinition.ContainerDefinitions[0], cmpopts.IgnoreUnexported(types.ContainerDefinition{}, types.PortMapping{}, types.HealthCheck{}, types.MountPoint{})); diff != "" {
		t.Errorf("container (-want +got):\n%s", diff)
	}
	td := out.TaskDefinition
	if *td.Cpu != "256" || *td.Memory != "512" || td.Revision != 1 || td.Status != types.TaskDefinitionStatusActive || len(td.Compatibilities) != 3 {
		t.Errorf("got cpu %s, memory %s, revision %d, status %s, compatibilities %v", *td.Cpu, *td.Memory, td.Revision, td.Status, td.Compatibilities)
	}
	if len(td.Volumes) != 1 || td.Volumes[0].Host == nil || *td.Volumes[0].Name != "v" {
		t.Errorf("volumes: %+v", td.Volumes)
	}
	described, err := s.describeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: td.TaskDefinitionArn, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
	if err != nil || len(described.Tags) != 1 || described.TaskDefinition.RegisteredAt == nil {
		t.Errorf("described %+v, %v", described, err)
	}
}

func TestTaskDefinitionRevisions(t *testing.T) {
	s, _ := newFace(t)
	for range 3 {
		if _, err := s.registerTaskDefinition(t.Context(), definition()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.deregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String("web:3")}); err != nil {
		t.Fatal(err)
	}
	latest, err := s.describeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web")})
	if err != nil || latest.TaskDefinition.Revision != 2 {
		t.Errorf("latest: got %+v, %v; want revision 2", latest, err)
	}
	deleted, err := s.deleteTaskDefinitions(t.Context(), &ecs.DeleteTaskDefinitionsInput{TaskDefinitions: []string{"web:2", "web:3"}})
	if err != nil || len(deleted.Failures) != 1 || len(deleted.TaskDefinitions) != 1 || deleted.TaskDefinitions[0].Status != types.TaskDefinitionStatusDeleteInProgress {
		t.Errorf("deleted: got %+v, %v", deleted, err)
	}
	next, err := s.registerTaskDefinition(t.Context(), definition())
	if err != nil || next.TaskDefinition.Revision != 4 {
		t.Errorf("next: got %+v, %v; want revision 4", next, err)
	}
	listed, err := s.listTaskDefinitions(t.Context(), &ecs.ListTaskDefinitionsInput{Sort: types.SortOrderDesc, MaxResults: aws.Int32(2)})
	if err != nil || len(listed.TaskDefinitionArns) != 2 || !strings.HasSuffix(listed.TaskDefinitionArns[0], "web:4") || listed.NextToken == nil {
		t.Errorf("listed: got %+v, %v", listed, err)
	}
	families, err := s.listTaskDefinitionFamilies(t.Context(), &ecs.ListTaskDefinitionFamiliesInput{FamilyPrefix: aws.String("w")})
	if err != nil || cmp.Diff([]string{"web"}, families.Families) != "" {
		t.Errorf("families: got %+v, %v", families, err)
	}
}

// logged changes the log options of a definition that are right.
func logged(options ...string) func(*ecs.RegisterTaskDefinitionInput) {
	all := map[string]string{"awslogs-group": "g", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p"}
	for i := 0; i < len(options); i += 2 {
		all[options[i]] = options[i+1]
	}
	return func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: all}
	}
}

// routing adds a router of logs to a definition, whose container sends to it with
// an option; "": it does not.
func routing(option string, options map[string]string) func(*ecs.RegisterTaskDefinitionInput) {
	return func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions = append(in.ContainerDefinitions, types.ContainerDefinition{
			Name: aws.String("router"), Image: aws.String("r"), FirelensConfiguration: &types.FirelensConfiguration{Type: types.FirelensConfigurationTypeFluentbit, Options: options},
		})
		if option != "" {
			in.ContainerDefinitions[0].LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwsfirelens, Options: map[string]string{option: "x"}}
		}
	}
}

func TestRegisterTaskDefinitionRefuses(t *testing.T) {
	s, _ := newFace(t)
	container := func(change func(*types.ContainerDefinition)) func(*ecs.RegisterTaskDefinitionInput) {
		return func(in *ecs.RegisterTaskDefinitionInput) { change(&in.ContainerDefinitions[0]) }
	}
	tests := []struct {
		name   string
		change func(*ecs.RegisterTaskDefinitionInput)
		want   string
	}{
		{"no family", func(in *ecs.RegisterTaskDefinitionInput) { in.Family = nil }, "ClientException"},
		{"a pair that Fargate has not", func(in *ecs.RegisterTaskDefinitionInput) { in.Memory = aws.String("4096") }, "ClientException: No Fargate configuration exists for given values"},
		{"no memory", func(in *ecs.RegisterTaskDefinitionInput) { in.Memory = nil }, "ClientException"},
		{"cpu that is no number", func(in *ecs.RegisterTaskDefinitionInput) { in.Cpu = aws.String("lots") }, "ClientException"},
		{"bridge network", func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeBridge }, "ClientException: Fargate only supports network mode"},
		{"no containers", func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions = nil }, "ClientException: Container list cannot be empty."},
		{"no image", container(func(c *types.ContainerDefinition) { c.Image = nil }), "ClientException: Container.image should not be null or empty."},
		{"nothing essential", container(func(c *types.ContainerDefinition) { c.Essential = aws.Bool(false) }), "ClientException: A task definition must have at least one essential"},
		{"two of one name", func(in *ecs.RegisterTaskDefinitionInput) {
			in.ContainerDefinitions = append(in.ContainerDefinitions, in.ContainerDefinitions[0])
		}, "ClientException: Container.name should be unique"},
		{"host port that differs", container(func(c *types.ContainerDefinition) { c.PortMappings[0].HostPort = aws.Int32(80) }), "ClientException: When networkMode=awsvpc"},
		{"log driver", container(func(c *types.ContainerDefinition) {
			c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverSplunk}
		}), "ClientException: Log driver splunk is not supported"},
		{
			"both kinds of events", logged("awslogs-datetime-format", "%Y", "awslogs-multiline-pattern", "^x"),
			"ClientException: Log driver awslogs options 'awslogs-datetime-format' and 'awslogs-multiline-pattern' cannot both be set",
		},
		{"a pattern that is none", logged("awslogs-multiline-pattern", "("), "ClientException: Log driver awslogs option 'awslogs-multiline-pattern' has an invalid value '('"},
		{"another region", logged("awslogs-region", "mars-1"), "ClientException: Log driver awslogs option 'awslogs-region' is 'mars-1'"},
		{"an option of another driver", logged("splunk-url", "x", "log_key", "log"), "ClientException: Log driver awslogs disallows options: log_key, splunk-url"},
		{"a router without senders", routing("", nil), "ClientException: When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver."},
		{"senders without a router", container(func(c *types.ContainerDefinition) {
			c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwsfirelens}
		}), "ClientException: When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers."},
		{"an output without a name", routing("region", nil), "ClientException: missing output key Name which is required for firelens configuration of type fluentbit"},
		{"a configuration from elsewhere", routing("Name", map[string]string{"config-file-type": "http", "config-file-value": "x"}), "ClientException: Invalid 'firelensConfiguration.options' setting for container 'router': config-file-type is 'http'"},
		{"an option that FireLens does not have", routing("Name", map[string]string{"x": "y"}), "ClientException: Invalid 'firelensConfiguration.options' setting for container 'router': x is not known"},
		{"log without a group", container(func(c *types.ContainerDefinition) {
			c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs}
		}), "ClientException: Log driver awslogs requires options: awslogs-group"},
		{"secrets without an execution role", container(func(c *types.ContainerDefinition) {
			c.Secrets = []types.Secret{{Name: aws.String("A"), ValueFrom: aws.String("b")}}
		}), "ClientException: When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."},
		{"a file that is no object", func(in *ecs.RegisterTaskDefinitionInput) {
			in.ExecutionRoleArn = aws.String("role")
			in.ContainerDefinitions[0].EnvironmentFiles = []types.EnvironmentFile{{Type: types.EnvironmentFileTypeS3, Value: aws.String("s3://b/a.env")}}
		}, "ClientException: Invalid 'environmentFiles' setting for container 'app': s3://b/a.env is not the ARN of an S3 object."},
		{"a file of another kind", func(in *ecs.RegisterTaskDefinitionInput) {
			in.ExecutionRoleArn = aws.String("role")
			in.ContainerDefinitions[0].EnvironmentFiles = []types.EnvironmentFile{{Type: types.EnvironmentFileTypeS3, Value: aws.String("arn:aws:s3:::b/a.txt")}}
		}, "ClientException: Invalid 'environmentFiles' setting for container 'app': the name of arn:aws:s3:::b/a.txt must end in .env."},
		{"a secret and a variable of one name", func(in *ecs.RegisterTaskDefinitionInput) {
			in.ExecutionRoleArn = aws.String("role")
			in.ContainerDefinitions[0].Environment = []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("x")}}
			in.ContainerDefinitions[0].Secrets = []types.Secret{{Name: aws.String("A"), ValueFrom: aws.String("b")}}
		}, "ClientException: The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'A'."},
		{"a short restart attempt period", container(func(c *types.ContainerDefinition) {
			c.RestartPolicy = &types.ContainerRestartPolicy{Enabled: aws.Bool(true), RestartAttemptPeriod: aws.Int32(59)}
		}), "ClientException: The 'restartAttemptPeriod' setting for container 'app' must be between 60 and 1800."},
		{
			"the machine's processes", func(in *ecs.RegisterTaskDefinitionInput) { in.PidMode = types.PidModeHost },
			"ClientException: Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
		},
		{"the machine's IPC", func(in *ecs.RegisterTaskDefinitionInput) { in.IpcMode = types.IpcModeTask }, "ClientException: Fargate compatible task definitions do not support ipcMode."},
		{"a volume of the machine", func(in *ecs.RegisterTaskDefinitionInput) {
			in.Volumes = []types.Volume{{Name: aws.String("v"), Host: &types.HostVolumeProperties{SourcePath: aws.String("/etc")}}}
		}, "ClientException: Fargate compatible task definitions do not support sourcePath"},
		{"a volume of Docker's", func(in *ecs.RegisterTaskDefinitionInput) {
			in.Volumes = []types.Volume{{Name: aws.String("v"), DockerVolumeConfiguration: &types.DockerVolumeConfiguration{Scope: types.ScopeTask}}}
		}, "ClientException: Fargate compatible task definitions do not support dockerVolumeConfiguration"},
		{"a volume without a name", func(in *ecs.RegisterTaskDefinitionInput) { in.Volumes = []types.Volume{{}} }, "ClientException: Volume.name contains invalid characters"},
		{"an access point without encryption", efsVolume(&types.EFSVolumeConfiguration{
			FileSystemId: aws.String("fs-01234567"), AuthorizationConfig: &types.EFSAuthorizationConfig{AccessPointId: aws.String("fsap-01234567")},
		}), "ClientException: EFS access points require TransitEncryption to be enabled."},
		{"an access point and a root directory", efsVolume(&types.EFSVolumeConfiguration{
			FileSystemId: aws.String("fs-01234567"), AuthorizationConfig: &types.EFSAuthorizationConfig{AccessPointId: aws.String("fsap-01234567")},
			TransitEncryption: types.EFSTransitEncryptionEnabled, RootDirectory: aws.String("/data"),
		}), `ClientException: When using an EFS access point, the root directory must either be set to "/" or be omitted.`},
		{"no file system's ID", efsVolume(&types.EFSVolumeConfiguration{FileSystemId: aws.String("../fs-01234567")}), "ClientException: Invalid 'fileSystemId'"},
		{"ports that are none", container(func(c *types.ContainerDefinition) {
			c.PortMappings = []types.PortMapping{{ContainerPortRange: aws.String("90-80")}}
		}), "ClientException: Invalid 'containerPortRange' setting for container 'app': '90-80'."},
		{"a port and a range", container(func(c *types.ContainerDefinition) {
			c.PortMappings = []types.PortMapping{{ContainerPortRange: aws.String("80-90"), ContainerPort: aws.Int32(80)}}
		}), "ClientException: cannot specify both single port and port range"},
		{"a mount of no volume", container(func(c *types.ContainerDefinition) {
			c.MountPoints = []types.MountPoint{{SourceVolume: aws.String("v"), ContainerPath: aws.String("/v")}}
		}), "ClientException: Unknown volume 'v'."},
		{
			"more CPU than the task has", container(func(c *types.ContainerDefinition) { c.Cpu = 257 }),
			"ClientException: The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
		},
		{
			"more memory than the task has", container(func(c *types.ContainerDefinition) { c.Memory = aws.Int32(513) }),
			"ClientException: The 'memory' setting for container 'app' is greater than for the task.",
		},
		{
			"more memory kept than allowed", container(func(c *types.ContainerDefinition) { c.Memory, c.MemoryReservation = aws.Int32(64), aws.Int32(65) }),
			"ClientException: Invalid setting for container 'app'. 'memory' must be greater than or equal to 'memoryReservation'.",
		},
		{"a variable without a name", container(func(c *types.ContainerDefinition) {
			c.Environment = []types.KeyValuePair{{Name: aws.String(""), Value: aws.String("x")}}
		}), "ClientException: Invalid 'environment' setting for container 'app'"},
		{"a variable whose name ends early", container(func(c *types.ContainerDefinition) {
			c.Environment = []types.KeyValuePair{{Name: aws.String("A\x00B"), Value: aws.String("x")}}
		}), "ClientException: Invalid 'environment' setting for container 'app': a name contains a control character."},
		{"a value that ends early", container(func(c *types.ContainerDefinition) {
			c.Environment = []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("x\x00")}}
		}), "ClientException: Invalid 'environment' setting for container 'app': it contains a NUL character."},
		{"a name of a port in capitals", container(func(c *types.ContainerDefinition) { c.PortMappings[0].Name = aws.String("HTTP") }), "ClientException: Invalid 'portMappings.name'"},
		{"more text than a definition may have", container(func(c *types.ContainerDefinition) { c.Command = []string{strings.Repeat("x", 65536)} }), "ClientException: Actual length: '65"},
		{"a parameter of the machine's", container(func(c *types.ContainerDefinition) {
			c.SystemControls = []types.SystemControl{{Namespace: aws.String("kernel.hostname"), Value: aws.String("x")}}
		}), "ClientException: Invalid 'systemControls' setting for container 'app'"},
		{"a parameter beside them", container(func(c *types.ContainerDefinition) {
			c.SystemControls = []types.SystemControl{{Namespace: aws.String("net/../kernel/hostname"), Value: aws.String("x")}}
		}), "ClientException: Invalid 'systemControls' setting for container 'app'"},
		{"a negative start timeout", container(func(c *types.ContainerDefinition) { c.StartTimeout = aws.Int32(-1) }), "ClientException: Invalid 'startTimeout'"},
		{"a soft limit above the hard one", container(func(c *types.ContainerDefinition) {
			c.Ulimits = []types.Ulimit{{Name: types.UlimitNameNofile, SoftLimit: 2, HardLimit: 1}}
		}), "ClientException: Soft limit exceeds hard limit for ulimit nofile."},
		{"hosts of its own", container(func(c *types.ContainerDefinition) {
			c.ExtraHosts = []types.HostEntry{{Hostname: aws.String("a"), IpAddress: aws.String("10.0.0.1")}}
		}), "ClientException: Extra hosts are not supported on container when networkMode=awsvpc."},
		{"a GPU", container(func(c *types.ContainerDefinition) {
			c.ResourceRequirements = []types.ResourceRequirement{{Type: types.ResourceTypeGpu, Value: aws.String("1")}}
		}), "ClientException: Tasks using the Fargate launch type do not support GPU resource requirements."},
		{"devices", container(func(c *types.ContainerDefinition) {
			c.LinuxParameters = &types.LinuxParameters{Devices: []types.Device{{HostPath: aws.String("/dev/vda")}}}
		}), "ClientException: Fargate compatible task definitions do not support devices."},
		{"a capability that Fargate does not add", container(func(c *types.ContainerDefinition) {
			c.LinuxParameters = &types.LinuxParameters{Capabilities: &types.KernelCapabilities{Add: []string{"SYS_ADMIN"}}}
		}), "ClientException: SYS_ADMIN is not allowed on Fargate."},
		{"a short stop timeout", container(func(c *types.ContainerDefinition) { c.StopTimeout = aws.Int32(0) }), "ClientException: Invalid 'stopTimeout'"},
		{"little ephemeral storage", func(in *ecs.RegisterTaskDefinitionInput) {
			in.EphemeralStorage = &types.EphemeralStorage{SizeInGiB: 20}
		}, "ClientException: Ephemeral storage size must be between 21 and 200 GiB."},
		{"an architecture that Fargate has not", func(in *ecs.RegisterTaskDefinitionInput) {
			in.RuntimePlatform = &types.RuntimePlatform{CpuArchitecture: "VAX"}
		}, "ClientException: "},
		{"Windows", func(in *ecs.RegisterTaskDefinitionInput) {
			in.RuntimePlatform = &types.RuntimePlatform{OperatingSystemFamily: types.OSFamilyWindowsServer2022Core}
		}, "ClientException: The operatingSystemFamily WINDOWS_SERVER_2022_CORE is not supported by Neargate."},
		{"depends on nobody", container(func(c *types.ContainerDefinition) {
			c.DependsOn = []types.ContainerDependency{{ContainerName: aws.String("db"), Condition: types.ContainerConditionStart}}
		}), "ClientException: Cannot depend on container db because it does not exist."},
		{"health check command", container(func(c *types.ContainerDefinition) { c.HealthCheck = &types.HealthCheck{Command: []string{"true"}} }), "ClientException: Invalid 'healthCheck.command'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := through(t, s, "RegisterTaskDefinition", s.registerTaskDefinition, definition(tt.change))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// An empty command or entry point is none: the image's counts.
func TestEmptyCommandIsNone(t *testing.T) {
	s, _ := newFace(t)
	_, err := s.registerTaskDefinition(t.Context(), definition(func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].Command, in.ContainerDefinitions[0].EntryPoint = []string{}, []string{}
	}))
	if err != nil {
		t.Fatal(err)
	}
	def, _ := s.ecs.TaskDefinition("web")
	if c := def.Containers[0]; c.Command != nil || c.EntryPoint != nil {
		t.Errorf("command %q, entry point %q, want none", c.Command, c.EntryPoint)
	}
}

func efsVolume(e *types.EFSVolumeConfiguration) func(*ecs.RegisterTaskDefinitionInput) {
	return func(in *ecs.RegisterTaskDefinitionInput) {
		in.Volumes = []types.Volume{{Name: aws.String("efs"), EfsVolumeConfiguration: e}}
	}
}

// What an EFS volume is for shows when a task starts; until then it is only kept.
func TestEFSVolumeIsRead(t *testing.T) {
	s, _ := newFace(t)
	_, err := s.registerTaskDefinition(t.Context(), definition(efsVolume(&types.EFSVolumeConfiguration{
		FileSystemId: aws.String("fs-0123456789abcdef0"), RootDirectory: aws.String("/"), TransitEncryption: types.EFSTransitEncryptionEnabled,
		AuthorizationConfig: &types.EFSAuthorizationConfig{AccessPointId: aws.String("fsap-0123456789abcdef0"), Iam: types.EFSAuthorizationConfigIAMEnabled},
	})))
	if err != nil {
		t.Fatal(err)
	}
	def, _ := s.ecs.TaskDefinition("web")
	want := []model.Volume{{Name: "efs", EFS: &model.EFSVolume{FileSystemID: "fs-0123456789abcdef0", AccessPointID: "fsap-0123456789abcdef0", RootDirectory: "/"}}}
	if diff := cmp.Diff(want, def.Volumes); diff != "" {
		t.Error(diff)
	}
}
