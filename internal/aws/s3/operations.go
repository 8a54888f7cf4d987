package s3

// Operations returns the names of what the face answers, but for the settings of
// buckets.
func Operations() []string {
	var names []string
	for _, op := range (&service{}).operations() {
		names = append(names, op.name)
	}
	return names
}

// operations is what the face answers, but for the settings of buckets.
func (s *service) operations() []operation {
	return []operation{
		{"ListBuckets", "GET", account, "", "", s.listBuckets},

		{"CreateBucket", "PUT", ofBucket, "", "", s.createBucket},
		{"HeadBucket", "HEAD", ofBucket, "", "", s.headBucket},
		{"DeleteBucket", "DELETE", ofBucket, "", "", s.deleteBucket},
		{"ListObjects", "GET", ofBucket, "", "", s.listObjects},
		{"DeleteObjects", "POST", ofBucket, "delete", "", s.deleteObjects},
		{"ListMultipartUploads", "GET", ofBucket, "uploads", "", s.listMultipartUploads},
		{"ListObjectVersions", "GET", ofBucket, "versions", "", s.listObjectVersions},
		{"GetBucketLocation", "GET", ofBucket, "location", "", s.getBucketLocation},

		{"CopyObject", "PUT", ofObject, "", "X-Amz-Copy-Source", s.copyObject},
		{"PutObject", "PUT", ofObject, "", "", s.putObject},
		{"GetObject", "GET", ofObject, "", "", s.getObject},
		{"HeadObject", "HEAD", ofObject, "", "", s.getObject},
		{"DeleteObject", "DELETE", ofObject, "", "", s.deleteObject},
		{"GetObjectTagging", "GET", ofObject, "tagging", "", s.getObjectTagging},
		{"PutObjectTagging", "PUT", ofObject, "tagging", "", s.putObjectTagging},
		{"DeleteObjectTagging", "DELETE", ofObject, "tagging", "", s.deleteObjectTagging},
		{"GetObjectAcl", "GET", ofObject, "acl", "", s.getACL},

		{"CreateMultipartUpload", "POST", ofObject, "uploads", "", s.createMultipartUpload},
		{"UploadPartCopy", "PUT", ofObject, "uploadId", "X-Amz-Copy-Source", s.uploadPartCopy},
		{"UploadPart", "PUT", ofObject, "uploadId", "", s.uploadPart},
		{"CompleteMultipartUpload", "POST", ofObject, "uploadId", "", s.completeMultipartUpload},
		{"AbortMultipartUpload", "DELETE", ofObject, "uploadId", "", s.abortMultipartUpload},
		{"ListParts", "GET", ofObject, "uploadId", "", s.listParts},
	}
}

// refusedHeaders are those that ask for what must not be missing unnoticed:
// encryption with the caller's own key, and locks.
func refusedHeaders() []string {
	return []string{
		"X-Amz-Server-Side-Encryption-Customer-Algorithm", "X-Amz-Copy-Source-Server-Side-Encryption-Customer-Algorithm",
		"X-Amz-Object-Lock-Mode", "X-Amz-Object-Lock-Legal-Hold", "X-Amz-Write-Offset-Bytes",
	}
}

// subresources are the parameters of the query that make another operation of a
// request. One that is not known here must not be taken for a plain GET or PUT.
func subresources() []string {
	return []string{
		"abac", "accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory", "legal-hold",
		"lifecycle", "location", "logging", "metadataConfiguration", "metadataTable", "metrics", "notification", "object-lock",
		"ownershipControls", "policy", "policyStatus", "publicAccessBlock", "renameObject", "replication", "requestPayment", "restore",
		"retention", "select", "session", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
	}
}
