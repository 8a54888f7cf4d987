package model

// The log drivers.
const (
	LogAWS      = "awslogs"
	LogFireLens = "awsfirelens" // the task's router takes the output
	// LogNone keeps nothing that anyone can read.
	LogNone = "none"
	// LogFile and LogLocal are Docker's drivers for the machine itself, which
	// Fargate does not have. The server's logs take their output, in LocalGroup.
	LogFile  = "json-file"
	LogLocal = "local"
)

// LocalGroup is the log group of containers with the drivers LogFile and LogLocal.
const LocalGroup = "/neargate/local"

// Stream returns where the output of a container of a task goes among the logs of
// CloudWatch; ok is false where it does not go there.
func (c LogConfig) Stream(container, task string) (group, stream string, ok bool) {
	switch c.Driver {
	case LogAWS:
		return c.Options["awslogs-group"], c.Options["awslogs-stream-prefix"] + "/" + container + "/" + task, true
	case LogFile, LogLocal:
		return LocalGroup, c.Driver + "/" + container + "/" + task, true
	}
	return "", "", false
}

// MakesGroup reports whether the group is made where there is none.
func (c LogConfig) MakesGroup() bool {
	return c.Driver != LogAWS || c.Options["awslogs-create-group"] == "true"
}
