package ecr_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-cmp/cmp"
)

func TestRepositoryPolicyComesAndGoes(t *testing.T) {
	c, _ := newClient(t)
	ctx, name := t.Context(), aws.String("shop")
	if _, err := c.CreateRepository(ctx, &sdk.CreateRepositoryInput{RepositoryName: name}); err != nil {
		t.Fatal(err)
	}
	get := func() error {
		_, err := c.GetRepositoryPolicy(ctx, &sdk.GetRepositoryPolicyInput{RepositoryName: name})
		return err
	}
	if got := code(get()); got != "RepositoryPolicyNotFoundException" {
		t.Errorf("before: %q", got)
	}
	if _, err := c.SetRepositoryPolicy(ctx, &sdk.SetRepositoryPolicyInput{RepositoryName: name, PolicyText: aws.String("{")}); code(err) != "InvalidParameterException" {
		t.Errorf("no JSON: %v", err)
	}
	if _, err := c.SetRepositoryPolicy(ctx, &sdk.SetRepositoryPolicyInput{RepositoryName: name, PolicyText: aws.String(`{"Version":"2012-10-17","Statement":[]}`)}); err != nil {
		t.Fatal(err)
	}
	if err := get(); err != nil {
		t.Error(err)
	}
	if _, err := c.DeleteRepositoryPolicy(ctx, &sdk.DeleteRepositoryPolicyInput{RepositoryName: name}); err != nil {
		t.Error(err)
	}
}

func TestLifecyclePolicyActs(t *testing.T) {
	c, reg := newClient(t)
	ctx, name := t.Context(), aws.String("shop")
	if _, err := c.CreateRepository(ctx, &sdk.CreateRepositoryInput{RepositoryName: name}); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"a", "b", "c"} {
		data := `{"schemaVersion":2,"mediaType":"` + index + `","manifests":[],"annotations":{"n":"` + tag + `"}}`
		if _, err := c.PutImage(ctx, &sdk.PutImageInput{RepositoryName: name, ImageTag: &tag, ImageManifest: &data, ImageManifestMediaType: aws.String(index)}); err != nil {
			t.Fatal(err)
		}
	}
	policy := aws.String(`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`)
	if _, err := c.GetLifecyclePolicy(ctx, &sdk.GetLifecyclePolicyInput{RepositoryName: name}); code(err) != "LifecyclePolicyNotFoundException" {
		t.Errorf("before: %v", err)
	}
	if _, err := c.PutLifecyclePolicy(ctx, &sdk.PutLifecyclePolicyInput{RepositoryName: name, LifecyclePolicyText: aws.String(`{"rules":[]}`)}); code(err) != "InvalidParameterException" {
		t.Errorf("no rules: %v", err)
	}
	if _, err := c.StartLifecyclePolicyPreview(ctx, &sdk.StartLifecyclePolicyPreviewInput{RepositoryName: name, LifecyclePolicyText: policy}); err != nil {
		t.Fatal(err)
	}
	preview, err := c.GetLifecyclePolicyPreview(ctx, &sdk.GetLifecyclePolicyPreviewInput{RepositoryName: name})
	if err != nil || preview.Status != "COMPLETE" || len(preview.PreviewResults) != 2 {
		t.Fatalf("preview %+v, %v; want two images", preview, err)
	}
	count := func() int {
		images, err := reg.Images("shop")
		if err != nil {
			t.Fatal(err)
		}
		return len(images)
	}
	if n := count(); n != 3 {
		t.Errorf("%d images after the preview, want all 3", n)
	}
	if _, err := c.PutLifecyclePolicy(ctx, &sdk.PutLifecyclePolicyInput{RepositoryName: name, LifecyclePolicyText: policy}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetLifecyclePolicy(ctx, &sdk.GetLifecyclePolicyInput{RepositoryName: name})
	if err != nil || cmp.Diff(policy, got.LifecyclePolicyText) != "" {
		t.Errorf("policy %+v, %v", got, err)
	}
	if err := reg.Expire(ctx); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 1 {
		t.Errorf("%d images are left, want 1", n)
	}
}
