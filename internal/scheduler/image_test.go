package scheduler

import (
	"slices"
	"strings"
	"testing"

	"neargate/internal/ecs"
	"neargate/internal/model"
)

// digests are the image digests that the running tasks have.
func (r *rig) digests() []string {
	var all []string
	for _, t := range r.running() {
		all = append(all, t.Containers[0].ImageDigest)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *rig) runs(n int, digest string) {
	r.t.Helper()
	r.stable(n)
	if got := r.digests(); !slices.Equal(got, []string{digest}) {
		r.t.Errorf("tasks run %v, want %s", got, digest)
	}
	for _, spec := range r.eng.Runs() {
		if spec.Containers[0].ImageDigest == "" {
			r.t.Error("a task of a service was started without a digest")
		}
	}
}

// One deployment runs one image digest, whatever its tag names later: in
// scale-outs and for what dies. The next deployment runs what it names then.
func TestDeploymentRunsOneDigest(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.eng.SetImage("web:1", "sha256:old")
		r.create(1)
		r.runs(1, "sha256:old")
		r.eng.SetImage("web:1", "sha256:new")
		r.desire(3)
		r.runs(3, "sha256:old")
		dead := r.eng.Running()[0]
		r.eng.Exit(dead, 1, "")
		r.until("replaced", func() bool { return len(r.eng.Running()) == 3 && !slices.Contains(r.eng.Running(), dead) })
		r.runs(3, "sha256:old")
		r.stop()
		r.serve()
		r.desire(4)
		r.runs(4, "sha256:old")
		if _, err := r.UpdateService(t.Context(), ecs.UpdateServiceRequest{Cluster: "c", Name: "s", Force: true}); err != nil {
			t.Fatal(err)
		}
		r.until("new", func() bool { return slices.Equal(r.digests(), []string{"sha256:new"}) })
		r.runs(4, "sha256:new")
	})
}

// A rollback runs what the earlier deployment ran, also when that has no task
// left and its tag names the broken image by now.
func TestRollbackRunsTheEarlierDigest(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.eng.SetImage("web:1", "sha256:old")
		r.create(2, withBreaker, func(req *ecs.CreateServiceRequest) {
			req.Settings.Rollout.MaximumPercent, req.Settings.Rollout.MinimumHealthyPercent = new(100), new(0)
		})
		r.runs(2, "sha256:old")
		r.eng.SetImage("web:1", "sha256:broken")
		broken := model.Errorf(model.Internal, "CannotStartContainerError", "no such file")
		r.eng.FailNext(broken, broken, broken)
		svc, err := r.UpdateService(t.Context(), ecs.UpdateServiceRequest{Cluster: "c", Name: "s", Force: true})
		if err != nil {
			t.Fatal(err)
		}
		r.until("gone back", func() bool { now, _ := r.Service("c", "s"); return now.Deployments[0].ID != svc.Deployments[0].ID })
		r.runs(2, "sha256:old")
	})
}

// Where versionConsistency is disabled, each task runs what the tag names.
func TestLooseVersionFollowsTheTag(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		def, _ := r.TaskDefinition("web")
		c := def.Containers[0]
		c.LooseVersion = true
		if _, err := r.RegisterTaskDefinition(t.Context(), ecs.RegisterTaskDefinitionRequest{
			Family: "web", CPU: "256", Memory: "512", NetworkMode: "awsvpc", Containers: []model.ContainerDefinition{c},
		}); err != nil {
			t.Fatal(err)
		}
		r.eng.SetImage("web:1", "sha256:old")
		r.create(1)
		r.stable(1)
		r.eng.SetImage("web:1", "sha256:new")
		r.desire(2)
		r.stable(2)
		if got := r.digests(); !slices.Equal(got, []string{"sha256:new", "sha256:old"}) {
			t.Errorf("tasks run %v", got)
		}
	})
}

// The credential of a private registry is looked up for each look at it.
func TestPrivateImage(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.eng.SetImage("web:1", "sha256:private")
		r.eng.SetPrivate("web:1", model.Credential{Username: "me", Password: "s3cret"})
		r.register("web", func(req *ecs.RegisterTaskDefinitionRequest) { req.Containers[0].RegistrySecret = "registry" })
		r.create(1)
		r.until("an event with the reason", func() bool {
			return slices.ContainsFunc(r.said(), func(s string) bool {
				return strings.Contains(s, "ResourceInitializationError: no secret registry")
			})
		})
		r.keep.put("registry", "wrong")
		r.until("an event with the refusal", func() bool {
			return slices.ContainsFunc(r.said(), func(s string) bool { return strings.Contains(s, "CannotPullContainerError: pull web:1: access denied") })
		})
		r.keep.put("registry", "s3cret")
		r.until("a task", func() bool { return len(r.running()) == 1 })
		r.runs(1, "sha256:private")
		for _, spec := range r.eng.Runs() {
			if c := spec.Containers[0].Credential; c == nil || c.Password != "s3cret" {
				t.Errorf("a task was started with the credential %v", c)
			}
		}
	})
}
