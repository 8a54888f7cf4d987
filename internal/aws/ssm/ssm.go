// Package ssm is the face of parameters and of sessions: of the API of AWS
// Systems Manager the Parameter Store's part over package secrets, and what the
// client of an ECS Exec session asks when its connection was cut. It keeps
// nothing of its own, and no value is in an error.
package ssm

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/secrets"
	"neargate/internal/session"
)

type service struct {
	parameters *secrets.Parameters
	sessions   *session.Sessions
}

// New returns the face of parameters and of sessions.
func New(p *secrets.Parameters, sessions *session.Sessions) wire.Service {
	s := &service{p, sessions}
	return wire.Service{
		SigningName:  "ssm",
		TargetPrefix: "AmazonSSM",
		Style:        wire.UpperCamel,
		Refused:      refused(),
		Refuse:       wire.RefuseWith(validation),
		Kept:         kept(),
		Operations: []wire.Operation{
			wire.Op("AddTagsToResource", s.addTagsToResource),
			wire.Op("DeleteParameter", s.deleteParameter),
			wire.Op("DeleteParameters", s.deleteParameters),
			wire.Op("DescribeParameters", s.describeParameters),
			wire.Op("GetParameter", s.getParameter),
			wire.Op("GetParameterHistory", s.getParameterHistory),
			wire.Op("GetParameters", s.getParameters),
			wire.Op("GetParametersByPath", s.getParametersByPath),
			wire.Op("LabelParameterVersion", s.labelParameterVersion),
			wire.Op("ListTagsForResource", s.listTagsForResource),
			wire.Op("PutParameter", s.putParameter),
			wire.Op("RemoveTagsFromResource", s.removeTagsFromResource),
			wire.Op("ResumeSession", s.resumeSession),
			wire.Op("TerminateSession", s.terminateSession),
			wire.Op("UnlabelParameterVersion", s.unlabelParameterVersion),
		},
	}
}

const validation = "ValidationException"

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, validation, format, args...)
}

// parameterName returns the name that a call must give. ValidationException.
func parameterName(v *string) (string, error) {
	var c wire.Checks
	name := c.Text("name", v, 1, 2048)
	return name, c.Err(validation)
}

// text returns nil for an empty text, as an answer leaves it out.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func errToken() error {
	return model.Errorf(model.Invalid, "InvalidNextToken", "The specified token is not valid.")
}

// names returns the names that a call lists. ValidationException.
func names(in []string) error {
	if len(in) == 0 || len(in) > 10 {
		return invalid("1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length less than or equal to 10, and greater than or equal to 1")
	}
	seen := map[string]bool{}
	for _, name := range in {
		if seen[name] {
			return invalid("The names must be unique.")
		}
		seen[name] = true
	}
	return nil
}

func modified(v secrets.ParameterVersion) *time.Time { return aws.Time(v.ModifiedAt) }

func tagsOf(tags []model.Tag) []types.Tag {
	all := []types.Tag{}
	for _, t := range tags {
		all = append(all, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return all
}

// maxTags is how many tags a resource may have.
const maxTags = 50

// readTags reads tags. ValidationException, TooManyTagsError.
func readTags(in []types.Tag) ([]model.Tag, error) {
	if len(in) > maxTags {
		return nil, model.Errorf(model.Throttled, "TooManyTagsError", "The Targets parameter includes too many tags. Remove one or more tags and try the command again.")
	}
	var all []model.Tag
	for _, t := range in {
		if n := len(aws.ToString(t.Key)); n == 0 || n > 128 || len(aws.ToString(t.Value)) > 256 {
			return nil, invalid("A tag key must have 1 to 128 characters, and a tag value at most 256.")
		}
		all = append(all, model.Tag{Key: *t.Key, Value: aws.ToString(t.Value)})
	}
	return all, nil
}
