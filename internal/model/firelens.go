package model

// The kinds of FireLens routers.
const (
	FluentBit = "fluentbit"
	Fluentd   = "fluentd"
)

// FireLens makes a container the router that takes the output of the task's
// containers with the driver awsfirelens. [API_FirelensConfiguration].
type FireLens struct {
	Type    string // FluentBit or Fluentd
	Options map[string]string
}

// The options of FireLens. [ECS, "Using custom log routing"].
const (
	OptionMetadata   = "enable-ecs-log-metadata" // "false" leaves the task's names out of records
	OptionConfigType = "config-file-type"        // "file" or "s3"
	OptionConfig     = "config-file-value"       // a path in the image, or the ARN of an object
)

// LogRouter is the container that takes others' output, in a TaskSpec.
type LogRouter struct {
	Container string
	// SocketDir is a directory of the container in which it listens on a socket of
	// the name Socket, by Fluentd's forward protocol.
	SocketDir, Socket string
	Acks              bool // it acknowledges what it has taken
	// ExternalConfig is the ARN of an object whose content is to be the file at
	// ExternalPath; "": none.
	ExternalConfig, ExternalPath string
}

// File is a file that the platform puts into a container, which cannot write it.
type File struct {
	Path, Text string
}
