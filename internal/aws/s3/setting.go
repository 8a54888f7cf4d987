package s3

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"neargate/internal/model"
)

// Setting is a subresource of a bucket that is kept as it was put and answered,
// and has no effect.
type Setting struct {
	Name string // in the query
	// Missing is S3's code when nothing was put; "" answers Default.
	Missing, Default string
	// Removed is S3's code when it was deleted; "": as when nothing was put.
	Removed string
	// Fixed is why nothing can be put; "": it can.
	Fixed string
	// Header is what is put and answered beside the document, and Usual what it
	// is unless it was put; "": nothing.
	Header, Usual string
	// Lacking is what S3 would do for what was put and Neargate does not; "":
	// nothing that the name does not say.
	Lacking string
}

// Settings are the subresources of buckets that are answered. None has an
// effect.
func Settings() []Setting {
	document := func(name, content string) string {
		return `<?xml version="1.0" encoding="UTF-8"?><` + name + ` xmlns="` + namespace + `">` + content + `</` + name + `>`
	}
	return []Setting{
		{Name: "accelerate", Default: document("AccelerateConfiguration", "")},
		{Name: "acl", Default: aclDocument},
		{Name: "cors", Missing: "NoSuchCORSConfiguration"},
		{Name: "encryption", Default: document("ServerSideEncryptionConfiguration",
			"<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>")},
		{Name: "lifecycle", Missing: "NoSuchLifecycleConfiguration", Header: "X-Amz-Transition-Default-Minimum-Object-Size", Usual: "all_storage_classes_128K"},
		{Name: "logging", Default: document("BucketLoggingStatus", "")},
		{Name: "notification", Default: document("NotificationConfiguration", "")},
		{Name: "object-lock", Missing: "ObjectLockConfigurationNotFoundError", Fixed: "object lock"},
		{
			Name: "ownershipControls", Default: document("OwnershipControls", "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"),
			Removed: "OwnershipControlsNotFoundError",
		},
		{Name: "policy", Missing: "NoSuchBucketPolicy"},
		{Name: "policyStatus", Default: document("PolicyStatus", "<IsPublic>false</IsPublic>"), Fixed: "policy status"},
		{Name: "publicAccessBlock", Missing: "NoSuchPublicAccessBlockConfiguration"},
		{Name: "replication", Missing: "ReplicationConfigurationNotFoundError", Fixed: "replication"},
		{Name: "requestPayment", Default: document("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>")},
		{Name: "tagging", Missing: "NoSuchTagSet"},
		{Name: "versioning", Default: document("VersioningConfiguration", ""), Lacking: "an object has one version, the last"},
		{Name: "website", Missing: "NoSuchWebsiteConfiguration"},
	}
}

// removed stands for the document of a setting that a bucket has from the
// beginning and that was deleted.
const removed = "removed"

// aclDocument says that the owner may do everything.
const aclDocument = `<?xml version="1.0" encoding="UTF-8"?><AccessControlPolicy xmlns="` + namespace + `"><Owner><ID>OWNER</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>OWNER</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`

// setting returns the operation on a bucket's subresource.
func (s *service) setting(method, name string) (operation, bool) {
	all := Settings()
	i := slices.IndexFunc(all, func(set Setting) bool { return set.Name == name })
	if i < 0 {
		return operation{}, false
	}
	set := all[i]
	run := map[string]func(*request) error{
		http.MethodGet:    func(r *request) error { return s.getSetting(r, set) },
		http.MethodPut:    func(r *request) error { return s.putSetting(r, set) },
		http.MethodDelete: func(r *request) error { return s.deleteSetting(r, set) },
	}[method]
	return operation{name: method + " " + name, run: run}, run != nil
}

func (s *service) getSetting(r *request, set Setting) error {
	b, err := s.objects.Bucket(r.bucket)
	if err != nil {
		return err
	}
	document, ok := b.Settings[set.Name]
	switch {
	case document == removed:
		return model.Errorf(model.NotFound, set.Removed, "The %s configuration does not exist", set.Name)
	case ok:
	case set.Missing != "":
		return model.Errorf(model.NotFound, set.Missing, "The %s configuration does not exist", set.Name)
	default:
		document = strings.ReplaceAll(set.Default, "OWNER", s.cfg.Place.Account)
	}
	set.answerHeader(r, b.Settings[set.Header])
	contentType := "application/xml"
	if set.Name == "policy" {
		contentType = "application/json"
	}
	r.w.Header().Set("Content-Type", contentType)
	_, _ = r.w.Write([]byte(document)) // an error means that the client has gone
	return nil
}

func (s *service) putSetting(r *request, set Setting) error {
	body, err := r.body()
	if err != nil {
		return err
	}
	if set.Fixed != "" {
		return model.Errorf(model.Invalid, "NotImplemented", "A bucket's %s is not supported by Neargate.", set.Fixed)
	}
	if set.Name == "acl" { // perhaps by a header; the owner's is the only one
		_, err := s.objects.Bucket(r.bucket)
		return err
	}
	if len(body) == 0 {
		return malformed()
	}
	header := r.Header.Get(set.Header)
	if err := s.objects.Configure(r.Context(), r.bucket, set.documents(string(body), header)); err != nil {
		return err
	}
	set.answerHeader(r, header)
	if set.Name == "policy" || set.Name == "tagging" {
		r.w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

func (s *service) deleteSetting(r *request, set Setting) error {
	left := ""
	if set.Removed != "" {
		left = removed
	}
	if err := s.objects.Configure(r.Context(), r.bucket, set.documents(left, "")); err != nil {
		return err
	}
	r.w.WriteHeader(http.StatusNoContent)
	return nil
}

// documents is what a bucket keeps of the setting.
func (set Setting) documents(document, header string) map[string]string {
	kept := map[string]string{set.Name: document}
	if set.Header != "" {
		kept[set.Header] = header
	}
	return kept
}

// answerHeader answers the header of the setting, as it was put.
func (set Setting) answerHeader(r *request, put string) {
	if set.Header != "" {
		r.w.Header().Set(set.Header, cmp.Or(put, set.Usual))
	}
}
