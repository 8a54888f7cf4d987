package ssm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"neargate/internal/aws/wire"
)

// resumeSession answers without a token, as AWS does of a session that is over:
// here each is with its connection. The plugin says that it has timed out, and
// ends. ValidationException.
func (s *service) resumeSession(_ context.Context, in *ssm.ResumeSessionInput) (*ssm.ResumeSessionOutput, error) {
	id, err := sessionID(in.SessionId)
	if err != nil {
		return nil, err
	}
	return &ssm.ResumeSessionOutput{SessionId: &id}, nil
}

// terminateSession: ValidationException.
func (s *service) terminateSession(_ context.Context, in *ssm.TerminateSessionInput) (*ssm.TerminateSessionOutput, error) {
	id, err := sessionID(in.SessionId)
	if err != nil {
		return nil, err
	}
	s.sessions.End(id)
	return &ssm.TerminateSessionOutput{SessionId: aws.String(id)}, nil
}

func sessionID(v *string) (string, error) {
	var c wire.Checks
	id := c.Text("sessionId", v, 1, 96)
	return id, c.Err(validation)
}
