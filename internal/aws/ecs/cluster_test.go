package ecs

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

func TestClusterLife(t *testing.T) {
	s, _ := newFace(t)
	made, err := s.createCluster(t.Context(), &ecs.CreateClusterInput{
		ClusterName: aws.String("blue"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}},
		Settings: []types.ClusterSetting{{Name: types.ClusterSettingNameContainerInsights, Value: aws.String("enabled")}},
	})
	if err != nil || *made.Cluster.Status != "ACTIVE" || *made.Cluster.ClusterArn != s.place.ClusterARN("blue") {
		t.Fatalf("got %+v, %v", made, err)
	}
	plain, err := s.describeClusters(t.Context(), &ecs.DescribeClustersInput{Clusters: []string{"blue", "nope"}})
	if err != nil || len(plain.Clusters) != 1 || len(plain.Failures) != 1 || len(plain.Clusters[0].Settings)+len(plain.Clusters[0].Tags) != 0 {
		t.Errorf("without include: got %+v, %v", plain, err)
	}
	full, err := s.describeClusters(t.Context(), &ecs.DescribeClustersInput{Clusters: []string{"blue"}, Include: allClusterFields()})
	if err != nil || *full.Clusters[0].Settings[0].Value != "enabled" || len(full.Clusters[0].Tags) != 1 {
		t.Errorf("with include: got %+v, %v", full, err)
	}
	if _, err := s.putClusterCapacityProviders(t.Context(), &ecs.PutClusterCapacityProvidersInput{Cluster: aws.String("blue"), CapacityProviders: []string{"FARGATE"}}); err != nil {
		t.Error(err)
	}
	if _, err := s.putClusterCapacityProviders(t.Context(), &ecs.PutClusterCapacityProvidersInput{Cluster: aws.String("blue"), CapacityProviders: []string{"mine"}}); code(err) != "InvalidParameterException" {
		t.Errorf("unknown capacity provider: got %v", err)
	}
	if _, err := s.deleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("blue")}); err != nil {
		t.Error(err)
	}
	if _, err := s.deleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("nope")}); code(err) != "ClusterNotFoundException" {
		t.Errorf("delete an unknown cluster: got %v", err)
	}
	listed, err := s.listClusters(t.Context(), &ecs.ListClustersInput{})
	if err != nil || len(listed.ClusterArns) != 0 {
		t.Errorf("got %+v, %v; want no clusters", listed, err)
	}
}

func TestTagsOfEveryResource(t *testing.T) {
	s, _ := ready(t)
	if _, err := s.createService(t.Context(), creation()); err != nil {
		t.Fatal(err)
	}
	stable(t, s)
	arns := []string{s.place.ClusterARN("default"), s.place.ServiceARN("default", "s"), s.place.TaskDefinitionARN("web", 1), s.ecs.Tasks("default")[0].ARN}
	for _, arn := range arns {
		tags := []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}
		if _, err := s.tagResource(t.Context(), &ecs.TagResourceInput{ResourceArn: &arn, Tags: tags}); err != nil {
			t.Errorf("tag %s: %v", arn, err)
		}
		if _, err := s.untagResource(t.Context(), &ecs.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"a"}}); err != nil {
			t.Errorf("untag %s: %v", arn, err)
		}
	}
	for _, arn := range arns[:3] { // a task's are written by its owner a moment later
		out, err := s.listTagsForResource(t.Context(), &ecs.ListTagsForResourceInput{ResourceArn: &arn})
		if err != nil || len(out.Tags) != 1 || *out.Tags[0].Key != "b" {
			t.Errorf("tags of %s: got %+v, %v", arn, out, err)
		}
	}
	if _, err := s.tagResource(t.Context(), &ecs.TagResourceInput{ResourceArn: aws.String("nope")}); code(err) != "InvalidParameterException" {
		t.Errorf("tag no ARN: got %v", err)
	}
	if _, err := s.tagResource(t.Context(), &ecs.TagResourceInput{ResourceArn: aws.String(s.place.ClusterARN("nope"))}); code(err) != "ResourceNotFoundException" {
		t.Errorf("tag an unknown cluster: got %v", err)
	}
}

func TestAccountSettings(t *testing.T) {
	s, _ := newFace(t)
	get := func(effective bool) []string {
		out, err := s.listAccountSettings(t.Context(), &ecs.ListAccountSettingsInput{Name: types.SettingNameContainerInsights, EffectiveSettings: effective})
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, set := range out.Settings {
			all = append(all, *set.Value)
		}
		return all
	}
	if diff := cmp.Diff([]string{"disabled"}, get(true)); diff != "" {
		t.Errorf("effective default (-want +got):\n%s", diff)
	}
	if _, err := s.putAccountSettingDefault(t.Context(), &ecs.PutAccountSettingDefaultInput{Name: types.SettingNameContainerInsights, Value: aws.String("enabled")}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"enabled"}, get(false)); diff != "" {
		t.Errorf("after put (-want +got):\n%s", diff)
	}
	if _, err := s.putAccountSetting(t.Context(), &ecs.PutAccountSettingInput{Name: types.SettingNameContainerInsights, Value: aws.String("perhaps")}); code(err) != "InvalidParameterException" {
		t.Errorf("bad value: got %v", err)
	}
	if _, err := s.deleteAccountSetting(t.Context(), &ecs.DeleteAccountSettingInput{Name: types.SettingNameContainerInsights}); err != nil {
		t.Fatal(err)
	}
	if got := get(false); got != nil {
		t.Errorf("after delete: got %v, want none", got)
	}
}
