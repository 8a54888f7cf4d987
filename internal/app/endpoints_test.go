package app

import (
	"slices"
	"testing"

	"neargate/internal/aws/s3"
	"neargate/internal/aws/wire"
)

// checkEndpoints: tasks find every service that answers here, and no other.
func checkEndpoints(t *testing.T, faces []wire.Service) {
	t.Helper()
	names := sdkNames()
	for _, f := range faces {
		if names[f.SigningName] == "" {
			t.Errorf("sdkNames lacks %s: SDKs in tasks call AWS for it", f.SigningName)
		}
	}
	for signing := range names {
		if signing != s3.Signing && !slices.ContainsFunc(faces, func(f wire.Service) bool { return f.SigningName == signing }) {
			t.Errorf("sdkNames has %s, which nobody answers here", signing)
		}
	}
}
