package ecs

import "neargate/internal/model"

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidParameterException", format, args...)
}

func client(format string, args ...any) error {
	return model.Errorf(model.Invalid, "ClientException", format, args...)
}

func unsupported(format string, args ...any) error {
	return model.Errorf(model.Invalid, "UnsupportedFeatureException", format, args...)
}

func errClusterNotFound() error {
	return model.Errorf(model.NotFound, "ClusterNotFoundException", "Cluster not found.")
}

func errClusterHasServices() error {
	return model.Errorf(model.Conflict, "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
}

func errClusterHasTasks() error {
	return model.Errorf(model.Conflict, "ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
}

func errProviderNotFound(name string) error {
	return invalid("The specified capacity provider '%s' was not found. Specify a valid name or ARN and try again.", name)
}

func errServiceNotFound() error {
	return model.Errorf(model.NotFound, "ServiceNotFoundException", "Service not found.")
}

func errServiceNotActive() error {
	return model.Errorf(model.Conflict, "ServiceNotActiveException", "Service was not ACTIVE.")
}

func errServiceNotIdempotent() error {
	return invalid("Creation of service was not idempotent.")
}

func errServiceDraining() error {
	return invalid("Unable to Start a service that is still Draining.")
}

func errDeploymentNotFound() error {
	return model.Errorf(model.NotFound, "ServiceDeploymentNotFoundException", "The service deployment does not exist.")
}

func errDeploymentEnded() error {
	return model.Errorf(model.Conflict, "ConflictException", "Stopping or continuing a service deployment is not allowed for service deployment in terminal states.")
}

func errPlatformUnknown() error {
	return model.Errorf(model.Invalid, "PlatformUnknownException", "The specified platform does not exist.")
}

func errDefinitionNotFound() error {
	return model.Errorf(model.NotFound, "ClientException", "TaskDefinition not found.")
}

func errDefinitionInactive() error {
	return model.Errorf(model.Conflict, "ClientException", "TaskDefinition is inactive")
}

func errRevisionNotFound() error {
	return model.Errorf(model.NotFound, "ClientException", "The specified task definition does not exist. Specify a valid account, family, revision and try again.")
}

func errResourceNotFound(arn string) error {
	return model.Errorf(model.NotFound, "ResourceNotFoundException", "The specified resource was not found: %s", arn)
}

func errARNSyntax() error { return invalid("Invalid arn syntax.") }
