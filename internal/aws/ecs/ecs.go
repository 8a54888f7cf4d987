// Package ecs is the face of ECS's records: Amazon ECS's API for Fargate. It
// checks what callers say, translates between the SDK's types and ours, and
// answers as AWS does, with the defaults that AWS adds. It keeps nothing of its
// own and decides nothing about tasks.
//
// What Fargate here does not have is refused by name: settings.go lists it.
package ecs

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"neargate/internal/aws/wire"
	"neargate/internal/ecs"
	"neargate/internal/model"
	"neargate/internal/scheduler"
	"neargate/internal/session"
)

type service struct {
	ecs   *ecs.Catalogue
	tasks *scheduler.Scheduler
	place model.Place
	// sessions are those of ECS Exec; clients attach to them below streams, a URL.
	sessions *session.Sessions
	streams  string
	// records keeps requests in the form that Describe calls answer from.
	records wire.Records
}

// Exec are the sessions of ECS Exec, and where clients reach the server.
type Exec struct {
	Sessions *session.Sessions
	Endpoint string // URL of the APIs
}

// New returns the face of ECS's records, of the scheduler that runs tasks, and of
// sessions in them.
func New(records *ecs.Catalogue, tasks *scheduler.Scheduler, exec Exec, place model.Place) wire.Service {
	s := &service{
		ecs: records, tasks: tasks, place: place, records: wire.NewRecords(wire.LowerCamel),
		sessions: exec.Sessions, streams: "ws" + strings.TrimPrefix(exec.Endpoint, "http"), // https: wss
	}
	return wire.Service{
		SigningName:  "ecs",
		TargetPrefix: "AmazonEC2ContainerServiceV20141113",
		Style:        wire.LowerCamel,
		Refused:      refused(),
		Refuse:       refuse,
		Kept:         kept(),
		Operations: []wire.Operation{
			wire.Op("ContinueServiceDeployment", s.continueServiceDeployment),
			wire.Op("CreateCluster", s.createCluster),
			wire.Op("CreateService", s.createService),
			wire.Op("DeleteAccountSetting", s.deleteAccountSetting),
			wire.Op("DeleteCluster", s.deleteCluster),
			wire.Op("DeleteService", s.deleteService),
			wire.Op("DeleteTaskDefinitions", s.deleteTaskDefinitions),
			wire.Op("DeregisterTaskDefinition", s.deregisterTaskDefinition),
			wire.Op("DescribeClusters", s.describeClusters),
			wire.Op("DescribeServiceDeployments", s.describeServiceDeployments),
			wire.Op("DescribeServiceRevisions", s.describeServiceRevisions),
			wire.Op("DescribeServices", s.describeServices),
			wire.Op("DescribeTaskDefinition", s.describeTaskDefinition),
			wire.Op("DescribeTasks", s.describeTasks),
			wire.Op("ExecuteCommand", s.executeCommand),
			wire.Op("GetTaskProtection", s.getTaskProtection),
			wire.Op("ListAccountSettings", s.listAccountSettings),
			wire.Op("ListClusters", s.listClusters),
			wire.Op("ListServiceDeployments", s.listServiceDeployments),
			wire.Op("ListServices", s.listServices),
			wire.Op("ListTagsForResource", s.listTagsForResource),
			wire.Op("ListTaskDefinitionFamilies", s.listTaskDefinitionFamilies),
			wire.Op("ListTaskDefinitions", s.listTaskDefinitions),
			wire.Op("ListTasks", s.listTasks),
			wire.Op("PutAccountSetting", s.putAccountSetting),
			wire.Op("PutAccountSettingDefault", s.putAccountSettingDefault),
			wire.Op("PutClusterCapacityProviders", s.putClusterCapacityProviders),
			wire.Op("RegisterTaskDefinition", s.registerTaskDefinition),
			wire.Op("RunTask", s.runTask),
			wire.Op("StopServiceDeployment", s.stopServiceDeployment),
			wire.Op("StopTask", s.stopTask),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("UpdateCluster", s.updateCluster),
			wire.Op("UpdateClusterSettings", s.updateClusterSettings),
			wire.Op("UpdateService", s.updateService),
			wire.Op("UpdateTaskProtection", s.updateTaskProtection),
		},
	}
}

// caller is the ARN of who signed the request; outside one, the account's root.
func (s *service) caller(ctx context.Context) *string {
	if c := wire.CallerFrom(ctx); c.ARN != "" {
		return aws.String(c.ARN)
	}
	return aws.String("arn:aws:iam::" + s.place.Account + ":root")
}
