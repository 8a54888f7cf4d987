package ecs

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// refuse is the error of an operation for a setting that it does not obey:
// RegisterTaskDefinition knows no UnsupportedFeatureException.
func refuse(op, sentence string) error {
	if op == "RegisterTaskDefinition" {
		return client("%s", sentence)
	}
	return model.Errorf(model.Invalid, "UnsupportedFeatureException", "%s", sentence)
}

// refused are the settings that calls must not ask for.
func refused() []wire.Setting {
	return append(refusedOfDefinitions(),
		wire.Refused[types.ClusterConfiguration]("ManagedStorageConfiguration"),
		wire.Refused[types.DeploymentController]("Type", "ECS"),
		wire.Refused[types.DeploymentLifecycleHook]("TargetType", "PAUSE"),
		wire.Refused[types.DeploymentLifecycleHook]("HookTargetArn"),
		wire.Refused[types.DeploymentLifecycleHook]("RoleArn"),
		wire.Refused[types.LoadBalancer]("LoadBalancerName"),
		wire.Refused[types.ServiceConnectService]("Tls"),
		wire.Refused[types.ServiceConnectClientAlias]("TestTrafficRules"),

		wire.Refused[ecs.CreateServiceInput]("Role"),
		wire.Refused[ecs.CreateServiceInput]("VolumeConfigurations"),
		wire.Refused[ecs.CreateServiceInput]("VpcLatticeConfigurations"),
		wire.Refused[ecs.CreateServiceInput]("GatewayConnectors"),
		wire.RefusedAs[ecs.CreateServiceInput]("PlacementConstraints", noConstraints),
		wire.RefusedAs[ecs.CreateServiceInput]("PlacementStrategy", noStrategies),
		wire.Refused[ecs.UpdateServiceInput]("VolumeConfigurations"),
		wire.Refused[ecs.UpdateServiceInput]("VpcLatticeConfigurations"),
		wire.Refused[ecs.UpdateServiceInput]("GatewayConnectors"),
		wire.RefusedAs[ecs.UpdateServiceInput]("PlacementConstraints", noConstraints),
		wire.RefusedAs[ecs.UpdateServiceInput]("PlacementStrategy", noStrategies),
		wire.Refused[ecs.RunTaskInput]("VolumeConfigurations"),
		wire.RefusedAs[ecs.RunTaskInput]("PlacementConstraints", noConstraints),
		wire.RefusedAs[ecs.RunTaskInput]("PlacementStrategy", noStrategies),
		wire.Refused[ecs.RunTaskInput]("ReferenceId"),
		wire.Refused[ecs.ListTasksInput]("ContainerInstance"),
		wire.Refused[ecs.ListTasksInput]("DaemonName"),

		wire.Refused[types.EnvironmentFile]("Type", string(types.EnvironmentFileTypeS3)),
		wire.RefusedAs[types.ContainerOverride]("ResourceRequirements", noGPU),
		wire.Refused[types.TaskOverride]("InferenceAcceleratorOverrides"),
	)
}

// The sentences with which AWS refuses placement and devices on Fargate.
const (
	noGPU         = "Tasks using the Fargate launch type do not support GPU resource requirements."
	noConstraints = "Placement constraints are not supported with FARGATE launch type."
	noStrategies  = "Placement strategies are not supported with FARGATE launch type."
)

// refusedOfDefinitions are those of RegisterTaskDefinition.
func refusedOfDefinitions() []wire.Setting {
	all := []wire.Setting{
		wire.Refused[ecs.RegisterTaskDefinitionInput]("EnableFaultInjection"),
		wire.RefusedAs[ecs.RegisterTaskDefinitionInput]("IpcMode", "Fargate compatible task definitions do not support ipcMode."),
		wire.RefusedAs[ecs.RegisterTaskDefinitionInput]("PlacementConstraints", "Fargate compatible task definitions do not support constraints."),
		wire.Refused[ecs.RegisterTaskDefinitionInput]("ProxyConfiguration"),
		wire.RefusedAs[ecs.RegisterTaskDefinitionInput]("InferenceAccelerators", "Unsupported field 'inferenceAccelerators'."),
		wire.RefusedAs[types.HostVolumeProperties]("SourcePath", "Fargate compatible task definitions do not support sourcePath."),
		wire.RefusedAs[types.Volume]("DockerVolumeConfiguration", "Fargate compatible task definitions do not support dockerVolumeConfiguration."),
		wire.Refused[types.Volume]("ConfiguredAtLaunch"),
		wire.Refused[types.Volume]("S3filesVolumeConfiguration"),
		wire.Refused[types.Volume]("FsxWindowsFileServerVolumeConfiguration"),
		wire.Refused[types.ContainerDefinition]("CredentialSpecs"),
	}
	for name, sentence := range map[string]string{
		"DisableNetworking":     "Disable Networking is not supported on container when networkMode=awsvpc.",
		"DnsSearchDomains":      "DNS search domains are not supported on container when networkMode=awsvpc.",
		"DnsServers":            "DNS servers are not supported on container when networkMode=awsvpc.",
		"ExtraHosts":            "Extra hosts are not supported on container when networkMode=awsvpc.",
		"Links":                 "Links are not supported when networkMode=awsvpc.",
		"ResourceRequirements":  noGPU,
		"DockerSecurityOptions": "Fargate compatible task definitions do not support dockerSecurityOptions.",
		"Hostname":              "hostname is not supported on container when networkMode=awsvpc.",
		"Privileged":            "Fargate requires that the 'privileged' setting be 'false'.",
	} {
		all = append(all, wire.RefusedAs[types.ContainerDefinition](name, sentence))
	}
	for _, name := range []string{"Devices", "MaxSwap", "SharedMemorySize", "Swappiness", "Tmpfs"} {
		member := string(name[0]|0x20) + name[1:]
		all = append(all, wire.RefusedAs[types.LinuxParameters](name, "Fargate compatible task definitions do not support "+member+"."))
	}
	return all
}

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	const (
		oneAccount = "there is one principal, the account"
		noProxy    = "kept and described; there is no proxy container"
		noS3       = "kept and described; sessions are logged to CloudWatch Logs alone"
		oneKind    = "kept and described; all capacity is this machine"
		oneZone    = "kept and described; there is one zone"
	)
	return []wire.Setting{
		wire.Kept[types.AdvancedConfiguration]("RoleArn", "kept and described; the server's own balancer needs no role"),
		wire.Kept[types.AwsVpcConfiguration]("AssignPublicIp", "kept and described; tasks have addresses of this machine alone"),
		wire.Kept[types.CapacityProviderStrategyItem]("Base", oneKind),
		wire.Kept[types.CapacityProviderStrategyItem]("Weight", oneKind),
		wire.Kept[types.ExecuteCommandConfiguration]("KmsKeyId", "kept and described; sessions are encrypted as the server's APIs are"),
		wire.Kept[types.ExecuteCommandLogConfiguration]("CloudWatchEncryptionEnabled", "kept and described; logs are not encrypted"),
		wire.Kept[types.ExecuteCommandLogConfiguration]("S3BucketName", noS3),
		wire.Kept[types.ExecuteCommandLogConfiguration]("S3EncryptionEnabled", noS3),
		wire.Kept[types.ExecuteCommandLogConfiguration]("S3KeyPrefix", noS3),
		wire.Kept[types.DeploymentLifecycleHook]("HookDetails", "for Lambda functions, which are refused"),
		wire.Kept[types.ServiceConnectConfiguration]("AccessLogConfiguration", noProxy),
		wire.Kept[types.ServiceConnectConfiguration]("ContainerConfigurations", noProxy),
		wire.Kept[types.ServiceConnectConfiguration]("LogConfiguration", noProxy),
		wire.Kept[types.ServiceConnectService]("IngressPortOverride", noProxy),

		wire.Kept[ecs.CreateServiceInput]("AvailabilityZoneRebalancing", oneZone),
		wire.Kept[ecs.UpdateServiceInput]("AvailabilityZoneRebalancing", oneZone),
		wire.Kept[ecs.RegisterTaskDefinitionInput]("ExecutionRoleArn", "kept and described; images, logs and secrets need no role"),
		wire.Kept[ecs.DeleteAccountSettingInput]("PrincipalArn", oneAccount),
		wire.Kept[ecs.ListAccountSettingsInput]("MaxResults", "the answer is whole"),
		wire.Kept[ecs.ListAccountSettingsInput]("NextToken", "the answer is whole"),
		wire.Kept[ecs.ListAccountSettingsInput]("PrincipalArn", oneAccount),
		wire.Kept[ecs.PutAccountSettingInput]("PrincipalArn", oneAccount),
		wire.Kept[ecs.PutAccountSettingInput]("Value", "kept and listed; no setting changes what the server does"),
		wire.Kept[ecs.PutAccountSettingDefaultInput]("Value", "kept and listed; no setting changes what the server does"),
	}
}
