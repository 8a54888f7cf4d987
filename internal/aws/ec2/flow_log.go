package ec2

import (
	"context"
	"strconv"

	"neargate/internal/model"
)

type createFlowLogsInput struct {
	DryRun bool
}

// createFlowLogs is refused: UnsupportedOperation.
func createFlowLogs(context.Context, *createFlowLogsInput) (*done, error) {
	return nil, model.Errorf(model.Invalid, "UnsupportedOperation", "Flow logs are not supported by Neargate.")
}

type describeFlowLogsInput struct {
	FlowLogIDs []string `query:"FlowLogId"`
	DryRun     bool
}

type describeFlowLogsOutput struct {
	FlowLogs []string `xml:"flowLogSet"`
}

// describeFlowLogs: there are none. Codes InvalidFlowLogId.NotFound.
func describeFlowLogs(_ context.Context, in *describeFlowLogsInput) (*describeFlowLogsOutput, error) {
	for _, id := range in.FlowLogIDs {
		return nil, model.Errorf(model.NotFound, "InvalidFlowLogId.NotFound", "These flow log ids in the input list are not found: [TotalCount: "+strconv.Itoa(len(in.FlowLogIDs))+"] %.80s", id)
	}
	return &describeFlowLogsOutput{}, nil
}
