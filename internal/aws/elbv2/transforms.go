package elbv2

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/decide/routing"
	"neargate/internal/model"
)

// maxRewrite bounds both parts of a rewrite (API_RewriteConfig).
const maxRewrite = 1024

// readTransforms checks the transforms of a rule: at most one of each type, with
// one rewrite each (rule-transforms, "Transform basics").
func readTransforms(in []types.RuleTransform) ([]model.Transform, error) {
	var out []model.Transform
	seen := map[types.TransformTypeEnum]bool{}
	for _, t := range in {
		if seen[t.Type] {
			return nil, invalid("A rule can only have one '%s' transform", t.Type)
		}
		seen[t.Type] = true
		m, err := readTransform(t)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func readTransform(t types.RuleTransform) (model.Transform, error) {
	m := model.Transform{Type: string(t.Type)}
	var rewrites []types.RewriteConfig
	switch t.Type {
	case types.TransformTypeEnumHostHeaderRewrite:
		if t.UrlRewriteConfig != nil {
			return m, invalid("A URL rewrite config cannot be specified for a transform of type '%s'", t.Type)
		}
		if t.HostHeaderRewriteConfig != nil {
			rewrites = t.HostHeaderRewriteConfig.Rewrites
		}
	case types.TransformTypeEnumUrlRewrite:
		if t.HostHeaderRewriteConfig != nil {
			return m, invalid("A host header rewrite config cannot be specified for a transform of type '%s'", t.Type)
		}
		if t.UrlRewriteConfig != nil {
			rewrites = t.UrlRewriteConfig.Rewrites
		}
	default:
		return m, invalid("Transform type '%s' must be one of 'host-header-rewrite,url-rewrite'", t.Type)
	}
	if len(rewrites) != 1 {
		return m, invalid("A transform of type '%s' must have exactly one rewrite", t.Type)
	}
	m.Regex, m.Replace = aws.ToString(rewrites[0].Regex), aws.ToString(rewrites[0].Replace)
	return m, checkTransform(m)
}

func checkTransform(m model.Transform) error {
	if m.Regex == "" || len(m.Regex) > maxRewrite {
		return invalid("Transform regex '%s' must have 1 to %d characters", m.Regex, maxRewrite)
	}
	if len(m.Replace) > maxRewrite {
		return invalid("Transform replacement '%s' must have at most %d characters", m.Replace, maxRewrite)
	}
	switch _, err := routing.Rewrites([]model.Transform{m}); {
	case errors.Is(err, routing.ErrReplace):
		return invalid("Transform replacement '%s' refers to a capture group that is not in regex '%s'", m.Replace, m.Regex)
	case err != nil:
		return invalid("Transform regex '%s' is not a valid regular expression", m.Regex)
	}
	return nil
}

func showTransforms(in []model.Transform) []types.RuleTransform {
	out := []types.RuleTransform{}
	for _, m := range in {
		rewrites := []types.RewriteConfig{{Regex: aws.String(m.Regex), Replace: aws.String(m.Replace)}}
		t := types.RuleTransform{Type: types.TransformTypeEnum(m.Type)}
		if m.Type == routing.HostRewrite {
			t.HostHeaderRewriteConfig = &types.HostHeaderRewriteConfig{Rewrites: rewrites}
		} else {
			t.UrlRewriteConfig = &types.UrlRewriteConfig{Rewrites: rewrites}
		}
		out = append(out, t)
	}
	return out
}
