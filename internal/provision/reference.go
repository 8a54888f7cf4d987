package provision

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"neargate/internal/model"
)

// lookup reads values for one task.
type lookup struct {
	p    *Provisioner
	seen map[string]string // texts, by reference without its key
	// region is the task's, whose parameters there are.
	region string
}

// value returns what a reference means: an ARN of a secret, or the name or ARN
// of a parameter. ResourceInitializationError.
func (l lookup) value(ctx context.Context, from string) (string, error) {
	if a, ok := model.ParseARN(from); !ok || a.Service == "ssm" {
		return l.parameter(ctx, from)
	}
	return l.secret(ctx, from)
}

func (l lookup) parameter(ctx context.Context, name string) (string, error) {
	if text, ok := l.seen[name]; ok {
		return text, nil
	}
	text, err := l.p.values.ParameterText(ctx, name)
	if e, ok := errors.AsType[*model.Error](err); ok {
		why := "invalid ssm parameters: " + name
		switch a, isARN := model.ParseARN(name); {
		case e.Kind != model.NotFound:
			why = e.Code + ": " + e.Msg
		case isARN && l.region != "" && a.Region != l.region:
			why += " (this server has the parameters of " + l.region + " alone)"
		}
		return "", notPulled("unable to retrieve secrets from ssm: service call has been retried 1 time(s): " + why)
	}
	if err == nil {
		l.seen[name] = text
	}
	return text, err
}

func (l lookup) secret(ctx context.Context, from string) (string, error) {
	ref, ok := parse(from)
	if !ok {
		return "", notPulled("unable to retrieve secret from asm: unexpected ARN format with parameters when trying to retrieve ASM secret")
	}
	text, err := l.text(ctx, ref)
	if err != nil || ref.key == "" {
		return text, err
	}
	value, why := member(text, ref.key)
	if why != "" {
		return "", notPulled("unable to retrieve secret from asm: service call has been retried 1 time(s): " + why)
	}
	return value, nil
}

func (l lookup) text(ctx context.Context, ref reference) (string, error) {
	whole := strings.Join([]string{ref.secret, ref.version, ref.stage}, " ")
	if text, ok := l.seen[whole]; ok {
		return text, nil
	}
	text, err := l.p.values.SecretText(ctx, ref.secret, ref.version, ref.stage)
	if e, ok := errors.AsType[*model.Error](err); ok {
		return "", notPulled("unable to retrieve secret from asm: service call has been retried 1 time(s): " +
			"failed to fetch secret " + ref.secret + " from secrets manager: " + e.Code + ": " + e.Msg)
	}
	if err == nil {
		l.seen[whole] = text
	}
	return text, err
}

// notPulled is the error of Fargate for what it could not look up, as it stands
// in stoppedReason.
func notPulled(why string) error {
	return model.Errorf(model.Invalid, "ResourceInitializationError",
		"unable to pull secrets or registry auth: execution resource retrieval failed: %s", why)
}

// reference is a secret as valueFrom names it.
type reference struct {
	secret              string // its ARN
	key, stage, version string // "" is the whole text, and the current version
}

// parse reads the ARN of a secret, which may be followed by a JSON key, a
// staging label and a version, all or none: ARN:KEY:STAGE:VERSION. [Amazon ECS
// developer guide, secrets-envvar-secrets-manager].
func parse(from string) (reference, bool) {
	parts := strings.Split(from, ":")
	const plain = 7 // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME
	switch len(parts) {
	case plain:
		return reference{secret: from}, true
	case plain + 3:
		return reference{strings.Join(parts[:plain], ":"), parts[plain], parts[plain+1], parts[plain+2]}, true
	}
	return reference{}, false
}

// member returns the member of a JSON object as an environment variable holds
// it: a string as it is, anything else as JSON. why is why there is none.
func member(text, key string) (value, why string) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return "", parseFault(err)
	}
	raw, ok := object[key]
	if !ok {
		return "", "retrieved secret from Secrets Manager did not contain json key " + key
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, ""
	}
	return string(raw), ""
}

// parseFault is what the agent of ECS says of a secret that is no JSON object
// (agent/asm/asm.go): the error of Go's decoder. A character that it quotes is of
// the secret, and left out.
func parseFault(err error) string {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return "json: cannot unmarshal " + e.Value + " into Go value of type map[string]interface {}"
	}
	const quotes = "invalid character "
	if rest, ok := strings.CutPrefix(err.Error(), quotes); ok {
		_, where, _ := strings.Cut(rest, "' ")
		return quotes + "'…' " + where
	}
	return err.Error()
}
