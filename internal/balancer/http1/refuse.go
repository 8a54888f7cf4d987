package http1

// protoError is why a message cannot be passed on: the status that the client
// gets and AWS's reason (load-balancer-access-logs, "Classification reasons"),
// or our own word where it has none.
type protoError struct {
	status int
	reason string
	class  Desync
}

func (e *protoError) Error() string { return e.reason }

// What a request can be refused for.
var (
	errBadMethod      = &protoError{400, "BadMethod", Severe}
	errBadURI         = &protoError{400, "BadUri", Severe}
	errBadVersion     = &protoError{400, "BadVersion", Severe}
	errBadHeader      = &protoError{400, "BadHeader", Severe}
	errBareLF         = &protoError{400, "BadHeader", Severe}
	errBadLength      = &protoError{400, "BadContentLength", Severe}
	errBadEncoding    = &protoError{400, "BadTransferEncoding", Severe}
	errManyLengths    = &protoError{400, "MultipleContentLength", Severe}
	errManyEncodings  = &protoError{400, "MultipleTransferEncodingChunked", Severe}
	errStrict         = &protoError{400, "NonCompliant", Ambiguous}
	errBadHost        = &protoError{400, "BadHost", Severe}
	errHeaderSize     = &protoError{400, "HeaderTooLarge", Compliant}
	errHeaderCount    = &protoError{400, "TooManyHeaders", Compliant}
	errBadChunk       = &protoError{400, "BadChunk", Severe}
	errBrokenBody     = &protoError{400, "BodyBrokenOff", Compliant}
	errTrace          = &protoError{405, "TraceMethod", Compliant}
	errSilent         = &protoError{408, "RequestTimeout", Compliant}
	errURITooLong     = &protoError{414, "UriTooLong", Compliant}
	errForwardedCount = &protoError{463, "TooManyForwardedFor", Compliant}
	errEncoding       = &protoError{501, "UnknownTransferEncoding", Compliant}
	errVersion        = &protoError{505, "HttpVersion", Compliant}
)
