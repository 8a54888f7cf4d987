package http1

import "neargate/internal/balancer/exchange"

// What a request can be refused for.
var (
	errBadMethod      = &exchange.Fault{Status: 400, Reason: "BadMethod", Class: exchange.Severe}
	errBadURI         = &exchange.Fault{Status: 400, Reason: "BadUri", Class: exchange.Severe}
	errBadVersion     = &exchange.Fault{Status: 400, Reason: "BadVersion", Class: exchange.Severe}
	errBadHeader      = &exchange.Fault{Status: 400, Reason: "BadHeader", Class: exchange.Severe}
	errBareLF         = &exchange.Fault{Status: 400, Reason: "BadHeader", Class: exchange.Severe}
	errBadLength      = &exchange.Fault{Status: 400, Reason: "BadContentLength", Class: exchange.Severe}
	errBadEncoding    = &exchange.Fault{Status: 400, Reason: "BadTransferEncoding", Class: exchange.Severe}
	errManyLengths    = &exchange.Fault{Status: 400, Reason: "MultipleContentLength", Class: exchange.Severe}
	errManyEncodings  = &exchange.Fault{Status: 400, Reason: "MultipleTransferEncodingChunked", Class: exchange.Severe}
	errBadHost        = &exchange.Fault{Status: 400, Reason: "BadHost", Class: exchange.Severe}
	errHeaderSize     = &exchange.Fault{Status: 400, Reason: "HeaderTooLarge"}
	errHeaderCount    = &exchange.Fault{Status: 400, Reason: "TooManyHeaders"}
	errBadChunk       = &exchange.Fault{Status: 400, Reason: "BadChunk", Class: exchange.Severe}
	errTrace          = &exchange.Fault{Status: 405, Reason: "TraceMethod"}
	errSilent         = &exchange.Fault{Status: 408, Reason: "RequestTimeout"}
	errURITooLong     = &exchange.Fault{Status: 414, Reason: "UriTooLong"}
	errForwardedCount = &exchange.Fault{Status: 463, Reason: "TooManyForwardedFor"}
	errEncoding       = &exchange.Fault{Status: 501, Reason: "UnknownTransferEncoding"}
	errVersion        = &exchange.Fault{Status: 505, Reason: "HttpVersion"}
)
